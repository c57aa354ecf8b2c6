import { gridFor } from "./grid.ts";
import type { Kernel } from "./kernel.ts";
import { PANEL_ROWS } from "./pack_rows.ts";
import source from "./packed_norms.wgsl" with { type: "text" };

/** Stands for "infinitely far": larger than any squared distance. */
export const FAR = 3e38;

/** Sizes of {@linkcode packedNorms}. */
export interface PackedNormsSizes {
  /** Rows packed; the rest of the last panel gets {@linkcode FAR}. */
  readonly rows: number;
  /** Elements of a row. */
  readonly dim: number;
}

/** Squared norms of rows in panels, in the order of the rows. */
export const packedNorms: Kernel<PackedNormsSizes> = {
  name: "packed_norms",
  source,
  bindings: { packed: "read", norms: "read_write" },
  params: { rows: "u32", dim: "u32", columns: "u32" },
  overrides: {},
  plan({ rows, dim }) {
    const columns = Math.ceil(rows / PANEL_ROWS) * 16;
    return {
      params: { rows, dim, columns },
      workgroups: gridFor(Math.ceil(columns / 64)),
    };
  },
};
