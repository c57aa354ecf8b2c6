import {
  elementwise,
  type ElementwiseBroadcast,
  type ElementwiseOperand,
  type ElementwiseOperation,
} from "../../wgsl/elementwise.ts";
import { roundUp } from "../../wgsl/grid.ts";
import { extentOf } from "../extent.ts";
import { activationOf } from "../fusion.ts";
import type { Activation, GraphNode } from "../graph.ts";
import { packVector, toNhwc } from "../layout.ts";
import { nodeError } from "../onnx/errors.ts";
import type { Operand, PlanContext } from "../plan_context.ts";
import type { Operator } from "./operator.ts";
import { floatConstant } from "./product.ts";

/** ONNX Add. */
export const Add: Operator = (node, context) =>
  binary(node, context, "add", "add");
/** ONNX Sub. */
export const Sub: Operator = (node, context) =>
  binary(node, context, "subtract", "subtract_from");
/** ONNX Mul. */
export const Mul: Operator = (node, context) =>
  binary(node, context, "multiply", "multiply");
/** ONNX Div. */
export const Div: Operator = (node, context) =>
  binary(node, context, "divide", "divide_into");

/** ONNX Relu. */
export const Relu: Operator = unary;
/** ONNX Clip with constant bounds. */
export const Clip: Operator = unary;
/** ONNX LeakyRelu. */
export const LeakyRelu: Operator = unary;
/** ONNX Sigmoid. */
export const Sigmoid: Operator = unary;
/** ONNX HardSigmoid. */
export const HardSigmoid: Operator = unary;
/** ONNX HardSwish. */
export const HardSwish: Operator = unary;

/** BatchNormalization that no Conv took in: inputs x, scale, shift. */
export function BatchNormalization(
  node: GraphNode,
  context: PlanContext,
): void {
  const [x, scale, shift] = node.inputs;
  const { channels } = context.extent(x);
  const [b, c] = [scale, shift].map((name) => {
    const { data } = floatConstant(node, context, name);
    return perChannel(node, context, name, data, channels);
  });
  emit(
    node,
    context,
    x,
    "affine",
    { b, broadcast: "channel" },
    node.activation,
    c,
  );
}

/** ONNX PRelu with a constant slope. */
export const PRelu: Operator = (node, context) => {
  const [x, slope] = node.inputs;
  if (context.shape(node.outputs[0]).join() !== context.shape(x).join()) {
    throw cannotBroadcast(node, context.shape(slope), context.shape(x));
  }
  const other = operand(node, context, x, slope);
  emit(node, context, x, "prelu", other, node.activation);
};

function unary(node: GraphNode, context: PlanContext): void {
  const [x] = node.inputs;
  const none = { b: zeros(node, context), broadcast: "channel" } as const;
  const activation = activationOf(node, context.graph);
  emit(node, context, x, "none", none, activation);
}

function binary(
  node: GraphNode,
  context: PlanContext,
  operation: ElementwiseOperation,
  swapped: ElementwiseOperation,
): void {
  const [a, b] = node.inputs;
  const output = context.shape(node.outputs[0]).join();
  const leads = (name: string): boolean =>
    !context.values.has(name) && context.shape(name).join() === output;
  if (leads(a)) {
    const other = operand(node, context, a, b);
    emit(node, context, a, operation, other, node.activation);
  } else if (leads(b)) {
    const other = operand(node, context, b, a);
    emit(node, context, b, swapped, other, node.activation);
  } else throw cannotBroadcast(node, context.shape(a), context.shape(b));
}

/** The other operand of an element-wise operator. */
interface Other {
  readonly b: Operand;
  readonly broadcast: ElementwiseBroadcast;
  readonly operand?: ElementwiseOperand;
}

/** The smaller operand, and how it stretches over the larger one. */
function operand(
  node: GraphNode,
  context: PlanContext,
  large: string,
  small: string,
): Other {
  const full = context.shape(large);
  const { images, channels, pixels } = context.extent(large);
  const shape = context.shape(small);
  if (context.values.has(small)) {
    return constantOther(node, context, full, small);
  }
  const b = context.value(node, small);
  if (shape.join() === full.join()) return { b, broadcast: "same" };
  const single = shape.every((extent) => extent === 1);
  if (!single && shape.length !== full.length) {
    throw cannotBroadcast(node, shape, full);
  }
  const extent = extentOf(shape);
  const perChannel = extent.channels === channels && extent.pixels === 1;
  return perChannel && extent.images === images && pixels > 1
    ? { b, broadcast: "image_channel" }
    : { b, ...stridedOver(node, shape, full) };
}

/** A constant: one value for each channel, or whatever else broadcasts. */
function constantOther(
  node: GraphNode,
  context: PlanContext,
  full: readonly number[],
  name: string,
): Other {
  const tensor = context.floats(name);
  if (!tensor) {
    throw nodeError(
      node,
      `its input "${name}" is no float constant`,
      "unsupported_operator",
      "tap an earlier layer",
    );
  }
  const shape = context.shape(name);
  const [, channels = 1] = full;
  const aligned = alignedTo(shape, full.length);
  const others = aligned.filter((extent, axis) => axis !== 1 && extent !== 1);
  if (others.length === 0) {
    const b = perChannel(node, context, name, tensor.data, channels);
    return { b, broadcast: "channel" };
  }
  const strided = stridedOver(node, shape, full);
  const [images, own, rows, columns] = strided.operand.shape;
  const b = context.constant(
    node,
    context.role(JSON.stringify(name), name),
    images * rows * columns * roundUp(own, 4),
    () => toNhwc(tensor.data, [images, own, rows, columns]),
  );
  return { b, ...strided };
}

/** A shape with 1 before it until it has so many dimensions. */
function alignedTo(shape: readonly number[], rank: number): number[] {
  return [...new Array(Math.max(rank - shape.length, 0)).fill(1), ...shape];
}

/** How a smaller tensor steps over a larger one. */
function stridedOver(
  node: GraphNode,
  small: readonly number[],
  large: readonly number[],
): { broadcast: "strided"; operand: ElementwiseOperand } {
  const aligned = alignedTo(small, large.length);
  const fits = large.length <= 4 && aligned.length === large.length &&
    aligned.every((extent, axis) => extent === 1 || extent === large[axis]);
  if (!fits) throw cannotBroadcast(node, small, large);
  const [images = 1, channels = 1, ...pixels] = aligned;
  const [rows, columns] = pixels.length === 2 ? pixels : [1, pixels[0] ?? 1];
  const width = large.length > 2 ? large.at(-1)! : 1;
  return {
    broadcast: "strided",
    operand: { width, shape: [images, channels, rows!, columns!] },
  };
}

/** One value for all channels, or one for each. */
function perChannel(
  node: GraphNode,
  context: PlanContext,
  name: string,
  data: Float32Array,
  channels: number,
): Operand {
  if (data.length !== 1 && data.length !== channels) {
    throw cannotBroadcast(node, context.shape(name), [channels]);
  }
  return context.constant(
    node,
    context.role(JSON.stringify(name), name),
    roundUp(channels, 4),
    () =>
      packVector(
        data.length === 1 ? new Float32Array(channels).fill(data[0]) : data,
        channels,
      ),
  );
}

function zeros(node: GraphNode, context: PlanContext): Operand {
  return context.constant(node, "unused", 4, () => packVector(undefined, 4));
}

function emit(
  node: GraphNode,
  context: PlanContext,
  x: string,
  operation: ElementwiseOperation,
  { b, broadcast, operand }: Other,
  activation: Activation | undefined,
  c: Operand = zeros(node, context),
): void {
  const { images, channels, pixels } = context.extent(x);
  context.emit(node, elementwise, {
    images,
    pixels,
    channels,
    operation,
    broadcast,
    ...(operand && { operand }),
    ...(activation && { activation }),
  }, { x: context.value(node, x), b, c });
}

function cannotBroadcast(
  node: GraphNode,
  small: readonly number[],
  large: readonly number[],
): Error {
  return nodeError(
    node,
    `cannot combine shapes [${small}] and [${large}] on the GPU: one of the two has to have the result's shape, the other one as many dimensions`,
    "unsupported_operator",
    "tap an earlier layer",
  );
}
