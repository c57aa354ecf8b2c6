import activation from "./activation.wgsl" with { type: "text" };
import { activationParams, type FusedActivation } from "./activation.ts";
import source from "./conv2d_sum.wgsl" with { type: "text" };
import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";

/** Partial sums `[splits, rows, columns]`, and how the convolution ends. */
export interface Conv2dSumSizes {
  /** Output pixels of all images. */
  readonly rows: number;
  /** Output channels divided by 4, rounded up. */
  readonly outputChannels4: number;
  /** Partial sums. */
  readonly splits: number;
  /** Whether `residual` is added. */
  readonly residual?: boolean;
  /** What is applied last. */
  readonly activation?: FusedActivation;
}

/** Adds up the partial sums of a convolution and finishes it. */
export const conv2dSum: Kernel<
  Conv2dSumSizes,
  "x" | "bias" | "residual" | "y"
> = defineKernel({
  name: "conv2d_sum",
  source: activation + source,
  plan({ rows, outputChannels4, splits, residual, activation }) {
    const { code, low, high } = activationParams(activation);
    const count = rows * outputChannels4;
    return {
      overrides: { RESIDUAL: residual ? 1 : 0, ACTIVATION: code },
      params: {
        columns: outputChannels4,
        count,
        splits,
        act_low: low,
        act_high: high,
      },
      workgroups: gridFor(Math.ceil(count / 64)),
    };
  },
});
