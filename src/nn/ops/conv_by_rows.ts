import type { Conv2dSizes } from "../../wgsl/conv2d.ts";
import { pad2d } from "../../wgsl/pad2d.ts";
import type { ConvChoice } from "../conv_choice.ts";
import type { GraphNode } from "../graph.ts";
import type { Operand, PlanContext } from "../plan_context.ts";

/** A convolution with everything that {@linkcode Conv2dSizes} leaves open. */
type WindowedConv =
  & Conv2dSizes
  & Required<Pick<Conv2dSizes, "kernel" | "strides" | "dilations" | "pads">>;

/**
 * Whether a window's row is better taken as one pixel of many channels: with so
 * few channels a pixel, finding it costs more than multiplying it. Tiles in
 * workgroup memory find each pixel once for all of a tile's outputs.
 */
export function suitsRows(
  { inputChannels4, kernel, dilations }: WindowedConv,
  choice: ConvChoice,
): boolean {
  return inputChannels4 === 1 && kernel[1] >= 3 && dilations[1] === 1 &&
    !choice.kernel.startsWith("shared");
}

/**
 * Plans the padding of an image of at most 4 channels on its left and right, so
 * that a row of the window is contiguous, and says how to convolve what it
 * gives: by a window of one column, with `4 · kernel width` channels a pixel.
 */
export function padForRows(
  node: GraphNode,
  context: PlanContext,
  sizes: WindowedConv,
  x: Operand,
): { readonly sizes: Conv2dSizes; readonly x: Operand } {
  const { images, input, output, kernel, strides, pads } = sizes;
  const { channels } = context.extent(node.inputs[0]);
  const width = (output[1] - 1) * strides[1] + kernel[1];
  const row = [input[0], width] as const;
  const padded = context.temporary(node, "padded", [images, channels, ...row]);
  const pad = { pads: [0, pads[1]], mode: "constant", value: 0 } as const;
  context.emit(
    node,
    pad2d,
    { images, channels, input, output: row, ...pad },
    { x },
    padded,
  );
  return {
    x: { value: padded },
    sizes: {
      ...sizes,
      input: row,
      inputChannels4: kernel[1],
      pitch4: 1,
      kernel: [kernel[0], 1],
      pads: [pads[0], 0],
    },
  };
}
