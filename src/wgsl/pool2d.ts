import source from "./pool2d.wgsl" with { type: "text" };
import { pixelGrid } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";

/** Sizes of a pooling over windows. */
export interface Pool2dSizes {
  /** Images. */
  readonly images: number;
  /** Channels divided by 4, rounded up. */
  readonly channels4: number;
  /** Input size `[height, width]` in pixels. */
  readonly input: readonly [number, number];
  /** Output size `[height, width]` in pixels. */
  readonly output: readonly [number, number];
  /** Window size `[height, width]`. */
  readonly kernel: readonly [number, number];
  /** Strides `[y, x]`. */
  readonly strides: readonly [number, number];
  /** Dilations `[y, x]`. */
  readonly dilations: readonly [number, number];
  /** Padding `[top, left, bottom, right]`. */
  readonly pads: readonly [number, number, number, number];
  /** Maximum or average. */
  readonly mode: "max" | "average";
  /** Whether padding counts in an average (not what `ceil_mode` adds beyond). */
  readonly countPadding?: boolean;
}

/** ONNX MaxPool and AveragePool on NHWC. */
export const pool2d: Kernel<Pool2dSizes, "x" | "y"> = defineKernel({
  name: "pool2d",
  source,
  plan(sizes) {
    const { images, channels4, input, output, kernel, strides } = sizes;
    const [padTop, padLeft, padBottom, padRight] = sizes.pads;
    const pixels = images * output[0] * output[1];
    return {
      overrides: {
        AVERAGE: sizes.mode === "average" ? 1 : 0,
        COUNT_PADDING: sizes.countPadding ? 1 : 0,
      },
      params: {
        channels: channels4,
        out_pixels: pixels,
        height: input[0],
        width: input[1],
        out_height: output[0],
        out_width: output[1],
        kernel_height: kernel[0],
        kernel_width: kernel[1],
        stride_y: strides[0],
        stride_x: strides[1],
        dilation_y: sizes.dilations[0],
        dilation_x: sizes.dilations[1],
        pad_top: padTop,
        pad_left: padLeft,
        pad_bottom: padBottom,
        pad_right: padRight,
      },
      workgroups: pixelGrid(channels4, pixels),
    };
  },
});
