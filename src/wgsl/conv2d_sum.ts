import activation from "./activation.wgsl" with { type: "text" };
import source from "./conv2d_sum.wgsl" with { type: "text" };
import { type Epilogue, epilogueParams } from "./epilogue.ts";
import epilogue from "./epilogue.wgsl" with { type: "text" };
import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";

/** Partial sums `[splits, rows, columns]`, and how the convolution ends. */
export interface Conv2dSumSizes extends Epilogue {
  /** Output pixels of all images. */
  readonly rows: number;
  /** Output channels divided by 4, rounded up. */
  readonly outputChannels4: number;
  /** Partial sums. */
  readonly splits: number;
}

/** Adds up the partial sums of a convolution and finishes it. */
export const conv2dSum: Kernel<
  Conv2dSumSizes,
  "x" | "bias" | "residual" | "y"
> = defineKernel({
  name: "conv2d_sum",
  source: activation + epilogue + source,
  plan({ rows, outputChannels4, splits, ...end }) {
    const { overrides, params } = epilogueParams(end);
    const count = rows * outputChannels4;
    return {
      overrides,
      params: { columns: outputChannels4, count, splits, ...params },
      workgroups: gridFor(Math.ceil(count / 64)),
    };
  },
});
