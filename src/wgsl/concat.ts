import source from "./concat.wgsl" with { type: "text" };
import { pixelGrid } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";

/** Sizes of copying one input of a concatenation into its place. */
export interface ConcatSizes {
  /** Pixels of all images. */
  readonly pixels: number;
  /** Channels of the input, without padding. */
  readonly count: number;
  /** First channel in the output. */
  readonly offset: number;
  /** Channels of the whole output, without padding. */
  readonly total: number;
}

/** One input of ONNX Concat on the channel axis, NHWC. */
export const concat: Kernel<ConcatSizes, "x" | "y"> = defineKernel({
  name: "concat",
  source,
  plan({ pixels, count, offset, total }) {
    const stride = Math.ceil(total / 4) * 4;
    const isLast = offset + count === total;
    const covered = isLast ? stride - offset : count;
    return {
      params: {
        pixels,
        x_channels: Math.ceil(count / 4) * 4,
        y_channels: stride,
        offset,
        count,
        covered,
      },
      workgroups: pixelGrid(covered, pixels),
    };
  },
});
