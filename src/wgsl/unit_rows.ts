import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import source from "./unit_rows.wgsl" with { type: "text" };

/** Rows `[rows, dim]`. */
export interface UnitRowsSizes {
  /** Number of rows. */
  readonly rows: number;
  /** Elements of a row, a multiple of 4. */
  readonly dim: number;
  /** The first row, 0 by default. */
  readonly from?: number;
}

/** Rows of the length 1, in place. */
export const unitRows: Kernel<UnitRowsSizes, "rows"> = defineKernel({
  name: "unit_rows",
  source,
  plan: ({ rows, dim, from = 0 }) => ({
    params: { rows, dim4: dim / 4, first: from },
    workgroups: gridFor(Math.ceil(rows / 64)),
  }),
});
