import source from "./resize_horizontal.wgsl" with { type: "text" };
import { defineKernel, type Kernel } from "./kernel.ts";

/** Sizes of the horizontal pass of a resize. */
export interface ResizeHorizontalSizes {
  /** Pixels of an input row. */
  readonly width: number;
  /** Input rows. */
  readonly rows: number;
  /** Pixels of an output row. */
  readonly columns: number;
  /** Weights of an output pixel. */
  readonly tapCount: number;
  /** Input column that the taps' columns are counted from, 0 by default. */
  readonly firstColumn?: number;
  /** Output row that the first input row becomes, 0 by default. */
  readonly firstRow?: number;
}

/**
 * Antialiased resize along rows, RGBA8 to RGBA8, as Pillow's `resize` with
 * `BILINEAR`, to the bit.
 */
export const resizeHorizontal: Kernel<
  ResizeHorizontalSizes,
  "x" | "taps" | "y"
> = defineKernel({
  name: "resize_horizontal",
  source,
  plan(sizes) {
    const { width, rows, columns, tapCount } = sizes;
    return {
      params: {
        width,
        rows,
        columns,
        tap_count: tapCount,
        first_column: sizes.firstColumn ?? 0,
        first_row: sizes.firstRow ?? 0,
      },
      workgroups: [Math.ceil(columns / 32), Math.ceil(rows / 8), 1],
    };
  },
});
