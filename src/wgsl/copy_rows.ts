import source from "./copy_rows.wgsl" with { type: "text" };
import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";

/** Sizes of a copy of listed rows of one chunk. */
export interface CopyRowsSizes {
  /** Rows to copy. */
  readonly rows: number;
  /** Elements of a row, a multiple of 4. */
  readonly dim: number;
  /** Index of the chunk's first row in the whole row set. */
  readonly first: number;
  /** Rows of the chunk. */
  readonly count: number;
  /** Where the list begins, 0 by default. */
  readonly from?: number;
  /** The row of `y` that the first one becomes, 0 by default. */
  readonly to?: number;
}

/** Copies listed rows of one chunk: one dispatch for each chunk of a row set. */
export const copyRows: Kernel<CopyRowsSizes, "x" | "indices" | "y"> =
  defineKernel({
    name: "copy_rows",
    source,
    plan({ rows, dim, first, count, from = 0, to = 0 }) {
      const [y, z] = gridFor(rows);
      return {
        params: { rows, columns: dim / 4, first, count, start: from, to },
        workgroups: rows === 0 ? [0, 0, 0] : [Math.ceil(dim / 256), y, z],
      };
    },
  });
