import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import source from "./residual_rows.wgsl" with { type: "text" };

/** Rows `[rows, dim]` of a chunk, and centroids `[dim, padded]`. */
export interface ResidualRowsSizes {
  /** Number of rows. */
  readonly rows: number;
  /** First row in `x`. */
  readonly first: number;
  /** Elements of a row. */
  readonly dim: number;
  /** Elements of a row of the centroids, which lie transposed. */
  readonly padded: number;
}

/** What is left of rows when each one's centroid is taken off. */
export const residualRows: Kernel<
  ResidualRowsSizes,
  "x" | "centroids" | "lists" | "y"
> = defineKernel({
  name: "residual_rows",
  source,
  plan({ rows, first, dim, padded }) {
    const [y, z] = gridFor(rows);
    return {
      params: { rows, first, dim, padded },
      workgroups: [Math.ceil(dim / 64), y, z],
    };
  },
});
