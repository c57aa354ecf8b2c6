import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import { PANEL_ROWS } from "./pack_rows.ts";
import source from "./packed_norms.wgsl" with { type: "text" };

/** Stands for "infinitely far": larger than any squared distance. */
export const FAR = 3e38;

/** Rows `[rows, stride]` in panels, of which the first `dim` elements count. */
export interface PackedNormsSizes {
  /** Rows packed; the rest of the last panel gets {@linkcode FAR}. */
  readonly rows: number;
  /** Elements of a row that count, the first ones. */
  readonly dim: number;
  /** Elements of a row; `dim` by default. */
  readonly stride?: number;
  /** Where in `norms` the first row's goes, a multiple of 4; 0 by default. */
  readonly to?: number;
}

/** Squared norms of rows in panels, in the order of the rows. */
export const packedNorms: Kernel<PackedNormsSizes, "packed" | "norms"> =
  defineKernel({
    name: "packed_norms",
    source,
    plan({ rows, dim, stride = dim, to = 0 }) {
      const columns = Math.ceil(rows / PANEL_ROWS) * 16;
      return {
        params: { rows, dim, stride, columns, to4: to / 4 },
        workgroups: gridFor(Math.ceil(columns / 64)),
      };
    },
  });
