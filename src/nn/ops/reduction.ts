import { globalAveragePool } from "../../wgsl/global_average_pool.ts";
import { pool2d } from "../../wgsl/pool2d.ts";
import { softmax } from "../../wgsl/softmax.ts";
import { numberAttribute } from "../attributes.ts";
import type { GraphNode } from "../graph.ts";
import { packConvWeights, packedSize } from "../layout.ts";
import { nodeError } from "../onnx/errors.ts";
import { resolveAxes, resolveSoftmax } from "../parameters.ts";
import type { PlanContext } from "../plan_context.ts";
import { resolveWindow } from "../window.ts";
import { emitProduct, noBias, PLAIN } from "./product.ts";
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

/**
 * ONNX ReduceMean over rows, columns and channels of `[N, C, H, W]`: pooling,
 * then a product with 1 / C.
 */
export function ReduceMean(node: GraphNode, context: PlanContext): void {
  const [x] = node.inputs;
  const shape = context.shape(x);
  const rank = shape.length;
  const axes = new Set(resolveAxes(node, rank, context.values) ?? []);
  const keeps = numberAttribute(node, "keepdims", 1) !== 0;
  const [rows, columns] = [axes.has(2), axes.has(3)];
  const channels = axes.has(1);
  // Without its channels, a result is laid out in another way.
  const laidOut = keeps || !channels || rows && columns;
  if (rank !== 4 || axes.size === 0 || axes.has(0) || !laidOut) {
    throw nodeError(
      node,
      `it averages [${shape}] over axes [${[
        ...axes,
      ]}], only channels, height and width of [N, C, H, W] are supported`,
      "unsupported_operator",
      "tap an earlier layer",
    );
  }
  const pooled = [
    shape[0],
    shape[1],
    rows ? 1 : shape[2],
    columns ? 1 : shape[3],
  ] as const;
  const [output] = node.outputs;
  if (!channels) return averagePixels(node, context, pooled, output);
  if (!rows && !columns) return averageChannels(node, context, x, pooled);
  const pixels = context.temporary(node, "pixel means", pooled);
  averagePixels(node, context, pooled, pixels);
  averageChannels(node, context, pixels, pooled);
}

/** Means over whole rows, whole columns or both. */
function averagePixels(
  node: GraphNode,
  context: PlanContext,
  pooled: readonly [number, number, number, number],
  output: string,
): void {
  const [x] = node.inputs;
  const [height, width] = context.imageSize(node, x);
  const { images, channels, pixels } = context.extent(x);
  const channels4 = Math.ceil(channels / 4);
  const reads = { x: context.value(node, x) };
  const [, , rows, columns] = pooled;
  if (rows === 1 && columns === 1) {
    const sizes = { images, pixels, channels4 };
    return context.emit(node, globalAveragePool, sizes, reads, output);
  }
  context.emit(
    node,
    pool2d,
    {
      images,
      channels4,
      input: [height, width],
      output: [rows, columns],
      kernel: [height / rows, width / columns],
      strides: [1, 1],
      dilations: [1, 1],
      pads: [0, 0, 0, 0],
      mode: "average",
    },
    reads,
    output,
  );
}

/** Means over channels: a product with one column of 1 / C. */
function averageChannels(
  node: GraphNode,
  context: PlanContext,
  x: string,
  [images, channels, rows, columns]: readonly [number, number, number, number],
): void {
  const pixels = [1, images * rows * columns] as const;
  const sizes = {
    images: 1,
    input: pixels,
    inputChannels4: Math.ceil(channels / 4),
    output: pixels,
    outputChannels4: 1,
  };
  const choice = context.convChoice(sizes) ?? PLAIN;
  const shape = [1, channels, 1, 1];
  const zero = noBias(node, context, 4);
  emitProduct(node, context, sizes, choice, {
    x: x === node.inputs[0] ? context.value(node, x) : { value: x },
    w: context.weights(
      node,
      choice,
      packedSize(shape),
      () =>
        packConvWeights(new Float32Array(channels).fill(1 / channels), shape),
      `mean of ${channels}`,
    ),
    bias: zero,
    residual: zero,
  });
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
