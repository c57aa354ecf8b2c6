import source from "./resize_vertical.wgsl" with { type: "text" };
import { defineKernel, type Kernel } from "./kernel.ts";

/** Sizes of the vertical pass of a resize. */
export interface ResizeVerticalSizes {
  /** Output rows. */
  readonly rows: number;
  /** Output columns. */
  readonly columns: number;
  /** Pixels of an input row. */
  readonly stride: number;
  /** Input column of the first output column, 0 by default. */
  readonly firstColumn?: number;
  /** Weights of an output pixel. */
  readonly tapCount: number;
  /** Which image of the output is written, 0 by default. */
  readonly image?: number;
}

/**
 * Antialiased resize along columns, RGBA8 to normalised floats `[N, H, W, 4]`,
 * up to the table lookup as Pillow's `resize` with `BILINEAR`, to the bit.
 */
export const resizeVertical: Kernel<
  ResizeVerticalSizes,
  "x" | "taps" | "table" | "y"
> = defineKernel({
  name: "resize_vertical",
  source,
  plan({ rows, columns, stride, firstColumn = 0, tapCount, image = 0 }) {
    return {
      params: {
        rows,
        columns,
        stride,
        first_column: firstColumn,
        tap_count: tapCount,
        image,
      },
      workgroups: [Math.ceil(columns / 32), Math.ceil(rows / 2), 1],
    };
  },
});
