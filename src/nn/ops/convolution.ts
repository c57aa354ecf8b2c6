import type { Conv2dSizes } from "../../wgsl/conv2d.ts";
import { roundUp } from "../../wgsl/grid.ts";
import { conv2dGrouped } from "../../wgsl/conv2d_grouped.ts";
import { numberAttribute } from "../attributes.ts";
import type { GraphNode } from "../graph.ts";
import { packConvWeights, packedSize, packVector } from "../layout.ts";
import { nodeError } from "../onnx/errors.ts";
import type { Operand, PlanContext } from "../plan.ts";
import {
  winogradInput,
  winogradOutput,
  winogradTiles,
} from "../../wgsl/winograd.ts";
import { resolveWindow, type Window } from "../window.ts";
import { winogradWeights } from "../winograd_weights.ts";

/** ONNX Conv: any groups, strides, dilations and pads; residual and activation fused. */
export function Conv(node: GraphNode, context: PlanContext): void {
  const [x, w, b = ""] = node.inputs;
  const weights = floats(node, context, w);
  const [outputs, groupInputs, kernelHeight, kernelWidth] = weights.shape;
  const input = context.imageSize(node, x);
  const window = resolveWindow(node, input, [kernelHeight, kernelWidth]);
  const { images, channels } = context.extent(x);
  const groups = numberAttribute(node, "group", 1);
  const grouped = groups > 1;
  const sizes = {
    images,
    input,
    inputChannels4: Math.ceil(channels / 4),
    output: window.output,
    outputChannels4: Math.ceil(outputs / 4),
    kernel: window.kernel,
    strides: window.strides,
    pads: window.padsBegin,
    dilations: window.dilations,
    residual: node.residual !== undefined,
    ...(node.activation && { activation: node.activation }),
  };
  const tail = {
    x: context.value(node, x),
    ...epilogue(node, context, b === "" ? undefined : b, outputs),
  };
  if (!grouped && suitsWinograd(window, images, channels, outputs)) {
    return winograd(node, context, sizes, weights, tail);
  }
  if (grouped) {
    const packed = context.constant(
      `${node.name} weights`,
      packedSize(weights.shape, groupInputs),
      () => packConvWeights(weights.data, weights.shape, groupInputs),
    );
    return context.emit(
      node,
      conv2dGrouped,
      { ...sizes, groupInputs, groupOutputs: outputs / groups },
      { ...tail, w: packed },
    );
  }
  const reads = {
    ...tail,
    w: context.weights(
      node,
      packedSize(weights.shape),
      () => packConvWeights(weights.data, weights.shape),
    ),
  };
  context.emit(node, context.convKernel(sizes), sizes, reads);
}

/** Channels from which on the transforms cost less than they save. */
const WINOGRAD_CHANNELS = 16;
/** Bytes that every WebGPU device binds at once. */
const MAX_BINDING_BYTES = 2 ** 27;

function suitsWinograd(
  { kernel, strides, dilations, output }: Window,
  images: number,
  channels: number,
  outputs: number,
): boolean {
  const [tilesY, tilesX] = winogradTiles(output);
  const [narrow, wide] = [channels, outputs].sort((a, b) => a - b);
  const matrixBytes = 36 * 4 * Math.ceil(wide / 4) * 4;
  const rows = Math.max(images * tilesY * tilesX, Math.ceil(narrow / 4) * 4);
  return kernel.join() === "3,3" && strides.join() === "1,1" &&
    dilations.join() === "1,1" && narrow >= WINOGRAD_CHANNELS &&
    matrixBytes * rows <= MAX_BINDING_BYTES;
}

/** 3 × 3, stride 1: transform, 36 matrix products, transform back. */
function winograd(
  node: GraphNode,
  context: PlanContext,
  sizes: Conv2dSizes & { pads: readonly [number, number] },
  weights: { shape: readonly number[]; data: Float32Array },
  reads: Readonly<Record<"x" | "bias" | "residual", Operand>>,
): void {
  const { images, input, output, pads, inputChannels4, outputChannels4 } =
    sizes;
  const [tilesY, tilesX] = winogradTiles(output);
  const tiles = images * tilesY * tilesX;
  const v = context.temporary(node, "tiles", [36, inputChannels4 * 4, tiles]);
  const m = context.temporary(node, "products", [
    36,
    outputChannels4 * 4,
    tiles,
  ]);
  context.emit(
    node,
    winogradInput,
    {
      images,
      channels4: inputChannels4,
      input,
      output,
      pads,
    },
    { x: reads.x },
    v,
  );
  const zero = context.constant(
    `${node.name} no bias`,
    outputChannels4 * 4,
    () => packVector(undefined, outputChannels4 * 4),
  );
  const product: Conv2dSizes = {
    images: 1,
    input: [1, tiles],
    inputChannels4,
    output: [1, tiles],
    outputChannels4,
    batches: 36,
  };
  context.emit(node, context.convKernel(product), product, {
    x: { value: v },
    w: context.weights(
      node,
      36 * inputChannels4 * 4 * outputChannels4 * 4,
      () => winogradWeights(weights.data, weights.shape),
      "transformed weights",
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

/** ONNX Gemm with constant B and C: `alpha · x · B + beta · C`. */
export function Gemm(node: GraphNode, context: PlanContext): void {
  if (numberAttribute(node, "transA", 0) !== 0) {
    throw nodeError(node, "transA is set", "unsupported_operator");
  }
  const transposed = numberAttribute(node, "transB", 0) !== 0;
  const alpha = numberAttribute(node, "alpha", 1);
  const beta = numberAttribute(node, "beta", 1);
  matrixProduct(node, context, transposed, alpha, beta);
}

/** ONNX MatMul of `[N, C]` with a constant matrix. */
export function MatMul(node: GraphNode, context: PlanContext): void {
  matrixProduct(node, context, false, 1, 1);
}

function matrixProduct(
  node: GraphNode,
  context: PlanContext,
  transposed: boolean,
  alpha: number,
  beta: number,
): void {
  const [x, w] = node.inputs;
  const c = node.op === "Gemm" ? node.inputs[2] : undefined;
  const { images, channels } = context.extent(x);
  const matrix = floats(node, context, w);
  if (context.shape(x).length !== 2 || matrix.shape.length !== 2) {
    throw nodeError(
      node,
      `it multiplies [${
        context.shape(x)
      }] with [${matrix.shape}], only [N, C] with a matrix is supported`,
      "unsupported_operator",
    );
  }
  const outputs = matrix.shape[transposed ? 0 : 1];
  const shape = [outputs, channels, 1, 1];
  const product: Conv2dSizes = {
    images: 1,
    input: [1, images],
    inputChannels4: Math.ceil(channels / 4),
    output: [1, images],
    outputChannels4: Math.ceil(outputs / 4),
    residual: node.residual !== undefined,
    ...(node.activation && { activation: node.activation }),
  };
  context.emit(node, context.convKernel(product), product, {
    x: context.value(node, x),
    w: context.weights(node, packedSize(shape), () => {
      const rows = matrixRows(matrix.data, [outputs, channels], transposed);
      return packConvWeights(rows.map((v) => v * alpha), shape);
    }),
    ...epilogue(node, context, c || undefined, outputs, beta),
  });
}

/** Bias and residual; a tensor that is not read is bound to the bias. */
function epilogue(
  node: GraphNode,
  context: PlanContext,
  bias: string | undefined,
  outputs: number,
  factor = 1,
): { bias: Operand; residual: Operand } {
  const vector = bias === undefined ? undefined : floats(node, context, bias);
  if (vector !== undefined && vector.data.length > 1) {
    if (vector.data.length !== outputs || vector.shape.at(-1) !== outputs) {
      throw nodeError(
        node,
        `its bias has shape [${vector.shape}], only [${outputs}] is supported`,
        "unsupported_operator",
      );
    }
  }
  const length = roundUp(outputs, 4);
  const operand = context.constant(`${node.name} bias`, length, () => {
    const full = vector?.data.length === 1
      ? new Float32Array(outputs).fill(vector.data[0])
      : vector?.data;
    return packVector(full?.map((v) => v * factor), outputs);
  });
  return {
    bias: operand,
    residual: node.residual === undefined
      ? operand
      : context.value(node, node.residual),
  };
}

function floats(
  node: GraphNode,
  context: PlanContext,
  name: string,
): { shape: readonly number[]; data: Float32Array } {
  const tensor = context.floats(name);
  if (tensor !== undefined) return tensor;
  throw nodeError(
    node,
    `its input "${name}" is no float constant`,
    "unsupported_operator",
    "export the network with its weights as initializers",
  );
}

/** `[outputs, inputs]` row-major, from that or from its transpose. */
function matrixRows(
  data: Float32Array,
  [outputs, inputs]: readonly [number, number],
  alreadyRows: boolean,
): Float32Array {
  if (alreadyRows) return data;
  const rows = new Float32Array(data.length);
  for (let i = 0; i < inputs; i++) {
    for (let o = 0; o < outputs; o++) {
      rows[o * inputs + i] = data[i * outputs + o];
    }
  }
  return rows;
}
