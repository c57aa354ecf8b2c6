import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import source from "./row_norms.wgsl" with { type: "text" };

/** Rows `[rows, stride]`, of which the first `dim` elements count. */
export interface RowNormsSizes {
  /** Number of rows. */
  readonly rows: number;
  /** Elements of a row that count, a multiple of 4. */
  readonly dim: number;
  /** From one row to the next, a multiple of 4; `dim` by default. */
  readonly stride?: number;
  /** Where in `norms` the first row's goes; 0 by default. */
  readonly to?: number;
  /** Whether `shift` is subtracted from every row. */
  readonly shift?: boolean;
}

/** Squared norms of row-major rows. */
export const rowNorms: Kernel<RowNormsSizes, "rows" | "shift" | "norms"> =
  defineKernel({
    name: "row_norms",
    source,
    plan: ({ rows, dim, stride = dim, to = 0, shift = false }) => ({
      params: { rows, dim4: dim / 4, stride4: stride / 4, to },
      overrides: { SHIFT: Number(shift) },
      workgroups: gridFor(Math.ceil(rows / 64)),
    }),
  });
