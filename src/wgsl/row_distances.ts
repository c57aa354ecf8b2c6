import type { Kernel } from "./kernel.ts";
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
> = {
  name: "row_distances",
  source,
  bindings: { queries: "read", rows: "read", distances: "read_write" },
  params: { rows: "u32", dim4: "u32" },
  overrides: {},
  plan({ queries, rows, dim }) {
    return {
      params: { rows, dim4: dim / 4 },
      workgroups: [Math.ceil(rows / 64), queries, 1],
    };
  },
};
