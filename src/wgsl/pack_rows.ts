import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import source from "./pack_rows.wgsl" with { type: "text" };

/** Rows of a panel, see {@linkcode packRows}. */
export const PANEL_ROWS = 64;

/** Rows `[rows, dim]` of a chunk, from `first` on. */
export interface PackRowsSizes {
  /** Rows to pack. */
  readonly rows: number;
  /** Elements of a row, a multiple of 4. */
  readonly dim: number;
  /** First row to pack; 0 by default. */
  readonly first?: number;
  /** Whether `shift` is subtracted from every row. */
  readonly shift?: boolean;
}

/**
 * Packs row-major rows into panels of 64 rows, the dimension outermost: lanes
 * that own neighbouring rows then read neighbouring words.
 */
export const packRows: Kernel<PackRowsSizes, "rows" | "shift" | "packed"> =
  defineKernel({
    name: "pack_rows",
    source,
    plan({ rows, dim, first = 0, shift = false }) {
      const total = Math.ceil(rows / PANEL_ROWS) * 16 * (dim / 4);
      return {
        params: { count: rows, dim4: dim / 4, first, total },
        overrides: { SHIFT: Number(shift) },
        workgroups: gridFor(Math.ceil(total / 64)),
      };
    },
  });
