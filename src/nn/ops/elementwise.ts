import {
  elementwise,
  type ElementwiseBroadcast,
  type ElementwiseOperation,
} from "../../wgsl/elementwise.ts";
import { roundUp } from "../../wgsl/grid.ts";
import { extentOf } from "../extent.ts";
import { activationOf } from "../fusion.ts";
import type { Activation, GraphNode } from "../graph.ts";
import { packVector } from "../layout.ts";
import { nodeError } from "../onnx/errors.ts";
import type { Operand, PlanContext } from "../plan_context.ts";
import type { Operator } from "./operator.ts";

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
  const [b, c] = [scale, shift].map((name) =>
    channelOperand(node, context, name, context.extent(x).channels)
  );
  emit(node, context, x, "affine", "channel", b, c, node.activation);
}

function unary(node: GraphNode, context: PlanContext): void {
  const [x] = node.inputs;
  const none = zeros(node, context);
  const activation = activationOf(node, context.graph);
  emit(node, context, x, "none", "channel", none, none, activation);
}

function binary(
  node: GraphNode,
  context: PlanContext,
  operation: ElementwiseOperation,
  swapped: ElementwiseOperation,
): void {
  const [a, b] = node.inputs;
  const output = context.shape(node.outputs[0]).join();
  const [large, small, apply] = context.shape(a).join() === output &&
      !context.values.has(a)
    ? [a, b, operation]
    : [b, a, swapped];
  const [other, broadcast] = operand(node, context, large, small);
  const none = zeros(node, context);
  emit(
    node,
    context,
    large,
    apply,
    broadcast,
    other,
    none,
    node.activation,
  );
}

/** The smaller operand, and how it stretches over the larger one. */
function operand(
  node: GraphNode,
  context: PlanContext,
  large: string,
  small: string,
): [Operand, ElementwiseBroadcast] {
  const { images, channels } = context.extent(large);
  if (context.values.has(small)) {
    return [channelOperand(node, context, small, channels), "channel"];
  }
  const shape = context.shape(small);
  const value = context.value(node, small);
  if (shape.join() === context.shape(large).join()) return [value, "same"];
  const extent = extentOf(shape);
  const perChannel = extent.channels === channels && extent.pixels === 1 &&
    shape.length === context.shape(large).length;
  if (perChannel && extent.images === images) return [value, "image_channel"];
  throw cannotBroadcast(node, shape, context.shape(large));
}

/** A constant scalar or vector `[C, 1, 1]`, `[1, C, 1, 1]`, `[C]` of `[N, C]`. */
function channelOperand(
  node: GraphNode,
  context: PlanContext,
  name: string,
  channels: number,
): Operand {
  const tensor = context.floats(name);
  const shape = context.shape(name);
  const { data } = tensor ?? {};
  if (data === undefined || (data.length !== 1 && data.length !== channels)) {
    throw cannotBroadcast(node, shape, [channels]);
  }
  const rank = context.shape(node.outputs[0]).length;
  const axis = shape.findIndex((extent) => extent === channels);
  const onChannels = data.length === 1 || node.op === "BatchNormalization" ||
    axis - shape.length + rank === 1;
  if (!onChannels) throw cannotBroadcast(node, shape, [channels]);
  return context.constant(
    `${node.name} ${name}`,
    roundUp(channels, 4),
    () =>
      packVector(
        data.length === 1 ? new Float32Array(channels).fill(data[0]) : data,
        channels,
      ),
  );
}

function zeros(node: GraphNode, context: PlanContext): Operand {
  return context.constant(
    `${node.name} unused`,
    4,
    () => packVector(undefined, 4),
  );
}

function emit(
  node: GraphNode,
  context: PlanContext,
  x: string,
  operation: ElementwiseOperation,
  broadcast: ElementwiseBroadcast,
  b: Operand,
  c: Operand,
  activation: Activation | undefined,
): void {
  const { images, channels, pixels } = context.extent(x);
  context.emit(node, elementwise, {
    images,
    pixels,
    channels,
    operation,
    broadcast,
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
    `cannot combine [${small}] with [${large}]: equal shapes, scalars and one value per channel are supported`,
    "unsupported_operator",
    "tap an earlier layer",
  );
}
