import type { Conv2dSizes } from "../../wgsl/conv2d.ts";
import { conv2dGrouped } from "../../wgsl/conv2d_grouped.ts";
import { numberAttribute } from "../attributes.ts";
import type { GraphNode } from "../graph.ts";
import { packConvWeights, packedSize } from "../layout.ts";
import type { PlanContext } from "../plan_context.ts";
import { resolveWindow } from "../window.ts";
import { padForRows, suitsRows } from "./conv_by_rows.ts";
import {
  emitProduct,
  epilogue,
  floatConstant,
  type ProductReads,
} from "./product.ts";
import { emitWinograd } from "./winograd.ts";

/** ONNX Conv: any groups, strides, dilations and pads; residual and activation fused. */
export function Conv(node: GraphNode, context: PlanContext): void {
  const [x, w, b = ""] = node.inputs;
  const weights = floatConstant(node, context, w);
  const [outputs, groupInputs, kernelHeight, kernelWidth] = weights.shape;
  const input = context.imageSize(node, x);
  const window = resolveWindow(node, input, [kernelHeight, kernelWidth]);
  const { images, channels } = context.extent(x);
  const groups = numberAttribute(node, "group", 1);
  const { kernel, strides, dilations } = window;
  const sizes = {
    images,
    input,
    inputChannels4: Math.ceil(channels / 4),
    output: window.output,
    outputChannels4: Math.ceil(outputs / 4),
    ...{ kernel, strides, dilations },
    pads: window.padsBegin,
    residual: node.residual !== undefined,
    ...(node.activation && { activation: node.activation }),
  };
  const reads = {
    x: context.value(node, x),
    ...epilogue(node, context, b === "" ? undefined : b, outputs),
  };
  const choice = groups > 1 ? undefined : context.convChoice(sizes);
  if (choice === undefined) {
    const inGroups = { groupInputs, groupOutputs: outputs / groups };
    emitGrouped(node, context, { ...sizes, ...inGroups }, weights, reads);
  } else if (choice.winograd) {
    emitWinograd(node, context, { sizes, choice, weights, reads });
  } else {
    const packed = context.weights(
      node,
      choice,
      packedSize(weights.shape),
      () => packConvWeights(weights.data, weights.shape),
      context.role("weights", w),
    );
    const seen = suitsRows(sizes, choice)
      ? padForRows(node, context, sizes, reads.x)
      : { sizes, x: reads.x };
    emitProduct(node, context, seen.sizes, choice, {
      ...reads,
      x: seen.x,
      w: packed,
    });
  }
}

/** Any number of groups, one included. */
function emitGrouped(
  node: GraphNode,
  context: PlanContext,
  sizes: Conv2dSizes & { groupInputs: number; groupOutputs: number },
  weights: { shape: readonly number[]; data: Float32Array },
  reads: Omit<ProductReads, "w">,
): void {
  const w = context.constant(
    node,
    context.role("weights by group", node.inputs[1]),
    packedSize(weights.shape, sizes.groupInputs),
    () => packConvWeights(weights.data, weights.shape, sizes.groupInputs),
  );
  context.emit(node, conv2dGrouped, sizes, { ...reads, w });
}
