import { gridFor } from "./grid.ts";
import weightsImage from "./conv2d/weights_image_f32.wgsl" with {
  type: "text",
};
import weights from "./conv2d/weights_f32.wgsl" with { type: "text" };
import type { Kernel } from "./kernel.ts";
import interfacePart from "./project_rows/interface.wgsl" with {
  type: "text",
};
import subgroup8 from "./project_rows/tile_subgroup8.wgsl" with {
  type: "text",
};
import uniform from "./project_rows/tile_uniform.wgsl" with { type: "text" };

/** Sizes of {@linkcode projectRows}. */
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

function define(
  name: string,
  text: string,
  lanes: number,
): Kernel<ProjectRowsSizes> {
  return {
    name,
    source: text,
    bindings: { x: "read", w: "read", shift: "read", y: "read_write" },
    params: {
      rows: "u32",
      dim4: "u32",
      columns: "u32",
      column_tiles: "u32",
      from_row: "u32",
      to_row: "u32",
    },
    overrides: { SHIFT: 0 },
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
  };
}

/** Rows times a matrix, from one chunk of a row set to a chunk of another. */
export const projectRows: Kernel<ProjectRowsSizes> = define(
  "project_rows",
  weights + interfacePart + uniform,
  32,
);

const narrow = define(
  "project_rows_subgroup8",
  weightsImage + interfacePart + subgroup8,
  8,
);

/** {@linkcode projectRows} for subgroups of exactly 8 lanes; `w` is an image. */
export const projectRowsSubgroup8: Kernel<ProjectRowsSizes> = {
  ...narrow,
  bindings: { ...narrow.bindings, w: "image_f32" },
  enables: ["subgroups"],
};
