import { gridFor } from "./grid.ts";
import type { Kernel } from "./kernel.ts";
import source from "./row_norms.wgsl" with { type: "text" };

/** Sizes of {@linkcode rowNorms}. */
export interface RowNormsSizes {
  /** Number of rows. */
  readonly rows: number;
  /** Elements of a row, a multiple of 4. */
  readonly dim: number;
  /** Whether `shift` is subtracted from every row. */
  readonly shift?: boolean;
}

/** Squared norms of row-major rows. */
export const rowNorms: Kernel<RowNormsSizes> = {
  name: "row_norms",
  source,
  bindings: { rows: "read", shift: "read", norms: "read_write" },
  params: { rows: "u32", dim4: "u32" },
  overrides: { SHIFT: 0 },
  plan: ({ rows, dim, shift = false }) => ({
    params: { rows, dim4: dim / 4 },
    overrides: { SHIFT: Number(shift) },
    workgroups: gridFor(Math.ceil(rows / 64)),
  }),
};
