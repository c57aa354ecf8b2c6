import { gridFor } from "./grid.ts";
import weightsImage from "./conv2d/weights_image_f32.wgsl" with {
  type: "text",
};
import weightsAt from "./conv2d/weights_at.wgsl" with { type: "text" };
import weightsBuffer from "./conv2d/weights_f32.wgsl" with { type: "text" };
import { defineKernel, type Kernel } from "./kernel.ts";
import interfacePart from "./project_rows/interface.wgsl" with {
  type: "text",
};
import subgroup8 from "./project_rows/tile_subgroup8.wgsl" with {
  type: "text",
};
import type { Variants } from "./variants.ts";
import uniform from "./project_rows/tile_uniform.wgsl" with { type: "text" };

/** Rows `[rows, dim]` of a chunk that become `[rows, outputs]` in another. */
export interface ProjectRowsSizes {
  /** Rows to project. */
  readonly rows: number;
  /** Elements of a row, a multiple of 4. */
  readonly dim: number;
  /** Elements of a projected row, a multiple of 4. */
  readonly outputs: number;
  /** First row of `x`. */
  readonly from: number;
  /** Row of `y` where the first one goes. */
  readonly to: number;
  /** Whether `shift` is subtracted from every row. */
  readonly shift?: boolean;
}

/** One form of {@linkcode projectRows}; all bind what its `interface.wgsl` declares. */
export type ProjectRowsKernel = Kernel<
  ProjectRowsSizes,
  "x" | "w" | "shift" | "y"
>;

interface Variant {
  readonly name: string;
  readonly tile: string;
  /** Declares the binding `w` and how it is read. */
  readonly weights: string;
  readonly lanes: number;
}

function define(
  { name, tile, weights, lanes }: Variant,
): ProjectRowsKernel {
  return defineKernel({
    name,
    source: weights + interfacePart + tile,
    names: { weights_at: weightsAt, at: "at" },
    plan({ rows, dim, outputs, from, to, shift = false }) {
      const columns = outputs / 4;
      const tiles = Math.ceil(columns / (2 * lanes));
      return {
        params: {
          rows,
          dim4: dim / 4,
          columns,
          column_tiles: tiles,
          from_row: from,
          to_row: to,
        },
        overrides: { SHIFT: Number(shift) },
        workgroups: gridFor(Math.ceil(rows / 16) * tiles),
      };
    },
  });
}

/**
 * Rows times a matrix, from one chunk of a row set to a chunk of another.
 * Variants differ in whether they read `w` as an image.
 */
export const projectRows: Variants<
  ProjectRowsKernel
> = {
  portable: define({
    name: "project_rows",
    tile: uniform,
    weights: weightsBuffer,
    lanes: 32,
  }),
  subgroup8: define({
    name: "project_rows_subgroup8",
    tile: subgroup8,
    weights: weightsImage,
    lanes: 8,
  }),
};
