import type { Conv2dSizes } from "../../wgsl/conv2d.ts";
import {
  winogradInput,
  winogradOutput,
  winogradTiles,
} from "../../wgsl/winograd.ts";
import { type ConvChoice, familyOf } from "../conv_choice.ts";
import type { GraphNode } from "../graph.ts";
import type { PlanContext } from "../plan_context.ts";
import { winogradWeights } from "../winograd_weights.ts";
import { noBias, type ProductReads } from "./product.ts";

/** A 3 × 3 convolution of stride 1. */
interface WinogradConv {
  /** Its sizes. */
  readonly sizes: Conv2dSizes & { readonly pads: readonly [number, number] };
  /** The kernel of the products. */
  readonly choice: ConvChoice;
  /** Weights in ONNX order. */
  readonly weights: { shape: readonly number[]; data: Float32Array };
  /** What it reads. */
  readonly reads: Omit<ProductReads, "w">;
}

/** Plans F(4×4, 3×3): transform, 36 matrix products, transform back. */
export function emitWinograd(
  node: GraphNode,
  context: PlanContext,
  { sizes, choice, weights, reads }: WinogradConv,
): void {
  const { images, input, output, pads, inputChannels4, outputChannels4 } =
    sizes;
  const [tilesY, tilesX] = winogradTiles(output);
  const tiles = images * tilesY * tilesX;
  const channels = { in: inputChannels4 * 4, out: outputChannels4 * 4 };
  const v = context.temporary(node, "tiles", [36, channels.in, tiles]);
  const m = context.temporary(node, "products", [36, channels.out, tiles]);
  const image = { images, channels4: inputChannels4, input, output, pads };
  context.emit(node, winogradInput, image, { x: reads.x }, v);
  const product: Conv2dSizes = {
    images: 1,
    input: [1, tiles],
    inputChannels4,
    output: [1, tiles],
    outputChannels4,
    batches: 36,
  };
  const zero = noBias(node, context, channels.out);
  context.emit(node, familyOf(choice)[context.precision], product, {
    x: { value: v },
    w: context.weights(
      node,
      choice,
      36 * channels.in * channels.out,
      () => winogradWeights(weights.data, weights.shape),
      context.role("transformed weights", node.inputs[1]),
    ),
    bias: zero,
    residual: zero,
  }, m);
  context.emit(node, winogradOutput, {
    images,
    channels4: outputChannels4,
    output,
    residual: sizes.residual ?? false,
    ...(sizes.activation && { activation: sizes.activation }),
  }, { x: { value: m }, bias: reads.bias, residual: reads.residual });
}
