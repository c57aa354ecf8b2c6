import activation from "./activation.wgsl" with { type: "text" };
import { activationParams } from "./activation.ts";
import { type Conv2dSizes, windowParams } from "./conv2d.ts";
import main from "./conv2d_grouped.wgsl" with { type: "text" };
import { pixelGrid } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";

/** Sizes of a convolution in groups. */
export interface GroupedConv2dSizes
  extends Omit<Conv2dSizes, "batches" | "gate" | "turn"> {
  /** Input channels of one group. */
  readonly groupInputs: number;
  /** Output channels of one group. */
  readonly groupOutputs: number;
}

/** ONNX Conv with any number of groups, one lane per 4 output channels. */
export const conv2dGrouped: Kernel<
  GroupedConv2dSizes,
  "x" | "w" | "bias" | "residual" | "y"
> = defineKernel({
  name: "conv2d_grouped",
  source: activation + main,
  plan(sizes) {
    const { images, input, output, outputChannels4 } = sizes;
    const { code, low, high } = activationParams(sizes.activation);
    const pixels = images * output[0] * output[1];
    return {
      overrides: {
        RESIDUAL: sizes.residual ? 1 : 0,
        GROUPING: sizes.groupOutputs % 4 === 0 ? 1 : 0,
        ACTIVATION: code,
      },
      params: {
        columns: outputChannels4,
        out_pixels: pixels,
        group_inputs: sizes.groupInputs,
        group_outputs: sizes.groupOutputs,
        x_channels: sizes.inputChannels4 * 4,
        height: input[0],
        width: input[1],
        out_height: output[0],
        out_width: output[1],
        ...windowParams(sizes),
        act_low: low,
        act_high: high,
      },
      workgroups: pixelGrid(outputChannels4, pixels),
    };
  },
});
