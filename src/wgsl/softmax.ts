import source from "./softmax.wgsl" with { type: "text" };
import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";

/** Sizes of a softmax over channels. */
export interface SoftmaxSizes {
  /** Rows: pixels of all images. */
  readonly rows: number;
  /** Channels, without padding to 4. */
  readonly channels: number;
}

/** ONNX Softmax on the channel axis, NHWC. */
export const softmax: Kernel<SoftmaxSizes, "x" | "y"> = defineKernel({
  name: "softmax",
  source,
  plan: ({ rows, channels }) => ({
    params: { rows, stride: Math.ceil(channels / 4) * 4, channels },
    workgroups: gridFor(Math.ceil(rows / 8)),
  }),
});
