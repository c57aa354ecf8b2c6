import source from "./softmax.wgsl" with { type: "text" };
import { gridFor } from "./grid.ts";
import type { Kernel } from "./kernel.ts";

/** Sizes of a softmax over channels. */
export interface SoftmaxSizes {
  /** Rows: pixels of all images. */
  readonly rows: number;
  /** Channels, without padding to 4. */
  readonly channels: number;
}

/** ONNX Softmax on the channel axis, NHWC. */
export const softmax: Kernel<SoftmaxSizes, "x" | "y"> = {
  name: "softmax",
  source,
  bindings: { x: "read", y: "read_write" },
  params: { rows: "u32", stride: "u32", channels: "u32" },
  overrides: {},
  plan: ({ rows, channels }) => ({
    params: { rows, stride: Math.ceil(channels / 4) * 4, channels },
    workgroups: gridFor(Math.ceil(rows / 8)),
  }),
};
