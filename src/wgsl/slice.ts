import { pixelGrid, roundUp } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import source from "./slice.wgsl" with { type: "text" };

/** Three numbers, for channels, rows and columns. */
export type SliceAxes = readonly [
  channels: number,
  rows: number,
  columns: number,
];

/** Sizes of taking a part of feature maps. */
export interface SliceSizes {
  /** Images. */
  readonly images: number;
  /** Extents of the input, without padding. */
  readonly input: SliceAxes;
  /** Extents of the result, without padding. */
  readonly output: SliceAxes;
  /** First index of each axis. */
  readonly starts: SliceAxes;
  /** Distance of the indices of each axis; negative ones go backwards. */
  readonly steps: SliceAxes;
}

/** ONNX Slice of channels, height and width, NHWC. */
export const slice: Kernel<SliceSizes, "x" | "y"> = defineKernel({
  name: "slice",
  source,
  plan({ images, input, output, starts, steps }) {
    const [count, outHeight, outWidth] = output;
    const channels = roundUp(count, 4);
    const pixels = images * outHeight * outWidth;
    return {
      params: {
        width: input[2],
        pixels: input[1] * input[2],
        out_width: outWidth,
        out_pixels: outHeight * outWidth,
        all_pixels: pixels,
        x_channels: roundUp(input[0], 4),
        y_channels: channels,
        count,
        start_channel: starts[0],
        start_row: starts[1],
        start_column: starts[2],
        step_channel: steps[0],
        step_row: steps[1],
        step_column: steps[2],
      },
      workgroups: pixelGrid(channels, pixels),
    };
  },
});
