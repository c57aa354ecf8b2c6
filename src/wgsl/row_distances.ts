import { defineKernel, type Kernel } from "./kernel.ts";
import source from "./row_distances.wgsl" with { type: "text" };

/** Queries `[queries, dim]` against rows `[rows, dim]`, all pairs. */
export interface RowDistancesSizes {
  /** Number of queries, at most 65,535. */
  readonly queries: number;
  /** Number of rows. */
  readonly rows: number;
  /** Elements of a row, a multiple of 4. */
  readonly dim: number;
}

/** Squared distances of all queries to all of a few rows, directly. */
export const rowDistances: Kernel<
  RowDistancesSizes,
  "queries" | "rows" | "distances"
> = defineKernel({
  name: "row_distances",
  source,
  plan({ queries, rows, dim }) {
    return {
      params: { rows, dim4: dim / 4 },
      workgroups: [Math.ceil(rows / 64), queries, 1],
    };
  },
});
