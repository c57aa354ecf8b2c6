import { numberAttribute } from "../attributes.ts";
import type { GraphNode } from "../graph.ts";
import { packConvWeights, packedSize } from "../layout.ts";
import { nodeError } from "../onnx/errors.ts";
import type { PlanContext } from "../plan_context.ts";
import { emitProduct, epilogue, floatConstant, PLAIN } from "./product.ts";

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
  const matrix = floatConstant(node, context, w);
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
  const product = {
    images: 1,
    input: [1, images] as const,
    inputChannels4: Math.ceil(channels / 4),
    output: [1, images] as const,
    outputChannels4: Math.ceil(outputs / 4),
    residual: node.residual !== undefined,
    ...(node.activation && { activation: node.activation }),
  };
  const choice = context.convChoice(product) ?? PLAIN;
  emitProduct(node, context, product, choice, {
    x: context.value(node, x),
    w: context.weights(node, choice, packedSize(shape), () => {
      const rows = matrixRows(matrix.data, [outputs, channels], transposed);
      return packConvWeights(rows.map((v) => v * alpha), shape);
    }, context.role("weights", w)),
    ...epilogue(node, context, c || undefined, outputs, beta),
  });
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
