import { globalAveragePool } from "../../wgsl/global_average_pool.ts";
import { pool2d } from "../../wgsl/pool2d.ts";
import { softmax } from "../../wgsl/softmax.ts";
import { numberAttribute } from "../attributes.ts";
import type { GraphNode } from "../graph.ts";
import { nodeError } from "../onnx/errors.ts";
import { resolveAxes, resolveSoftmax } from "../parameters.ts";
import type { PlanContext } from "../plan_context.ts";
import { resolveWindow } from "../window.ts";
import type { Operator } from "./operator.ts";

/** ONNX MaxPool: padding never wins. */
export const MaxPool: Operator = (node, context) => pool(node, context, "max");
/** ONNX AveragePool. */
export const AveragePool: Operator = (node, context) =>
  pool(node, context, "average");

function pool(
  node: GraphNode,
  context: PlanContext,
  mode: "max" | "average",
): void {
  const [x] = node.inputs;
  const input = context.imageSize(node, x);
  const window = resolveWindow(node, input);
  const { images, channels } = context.extent(x);
  context.emit(node, pool2d, {
    images,
    channels4: Math.ceil(channels / 4),
    input,
    output: window.output,
    kernel: window.kernel,
    strides: window.strides,
    dilations: window.dilations,
    pads: [...window.padsBegin, ...window.padsEnd],
    mode,
    countPadding: numberAttribute(node, "count_include_pad", 0) !== 0,
  }, { x: context.value(node, x) });
}

/** ONNX GlobalAveragePool. */
export function GlobalAveragePool(node: GraphNode, context: PlanContext): void {
  const [x] = node.inputs;
  const { images, channels, pixels } = context.extent(x);
  const channels4 = Math.ceil(channels / 4);
  context.emit(node, globalAveragePool, { images, pixels, channels4 }, {
    x: context.value(node, x),
  });
}

/** ONNX ReduceMean over all pixels. */
export function ReduceMean(node: GraphNode, context: PlanContext): void {
  const rank = context.shape(node.inputs[0]).length;
  const axes = resolveAxes(node, rank, context.values) ?? [];
  if (rank === 4 && axes.toSorted().join() === "2,3") {
    return GlobalAveragePool(node, context);
  }
  throw nodeError(
    node,
    `it averages over axes [${axes}], only height and width are supported`,
    "unsupported_operator",
    "tap an earlier layer",
  );
}

/** ONNX Softmax over channels. */
export function Softmax(node: GraphNode, context: PlanContext): void {
  const [x] = node.inputs;
  const { images, channels, pixels } = context.extent(x);
  const { opset } = context.graph;
  const { outer, count, inner } = resolveSoftmax(
    node,
    context.shape(x),
    opset,
  );
  if (outer !== images || count !== channels || inner !== pixels) {
    throw nodeError(
      node,
      "only a softmax over channels is supported",
      "unsupported_operator",
      "tap an earlier layer",
    );
  }
  context.emit(node, softmax, { rows: images * pixels, channels }, {
    x: context.value(node, x),
  });
}
