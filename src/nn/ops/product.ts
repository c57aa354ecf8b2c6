import type { Conv2dSizes } from "../../wgsl/conv2d.ts";
import { conv2dSum } from "../../wgsl/conv2d_sum.ts";
import { roundUp } from "../../wgsl/grid.ts";
import { type ConvChoice, familyOf } from "../conv_choice.ts";
import type { GraphNode } from "../graph.ts";
import { packVector } from "../layout.ts";
import { nodeError } from "../onnx/errors.ts";
import type { Operand, PlanContext } from "../plan_context.ts";

/** What a convolution or matrix product reads. */
export type ProductReads = Readonly<
  Record<"x" | "w" | "bias" | "residual", Operand>
>;

/** The simplest kernel for matrix products. */
export const PLAIN: ConvChoice = {
  kernel: "direct",
  winograd: false,
  splits: 1,
};

/** Plans a convolution or a matrix product by the chosen kernel. */
export function emitProduct(
  node: GraphNode,
  context: PlanContext,
  sizes: Conv2dSizes,
  choice: ConvChoice,
  reads: ProductReads,
): void {
  const kernel = familyOf(choice)[context.precision];
  const { splits } = choice;
  if (splits === 1) return context.emit(node, kernel, sizes, reads);
  const { activation, residual, gate, turn, ...plain } = sizes;
  const { images, output, outputChannels4 } = sizes;
  const rows = images * output[0] * output[1];
  const channels = outputChannels4 * 4;
  const parts = context.temporary(node, "partial sums", [
    splits,
    channels,
    rows,
  ]);
  const zero = noBias(node, context, channels);
  context.emit(node, kernel, { ...plain, splits }, {
    ...reads,
    bias: zero,
    residual: zero,
  }, parts);
  context.emit(node, conv2dSum, {
    rows,
    outputChannels4,
    splits,
    ...(residual && { residual }),
    ...(activation && { activation }),
    ...(gate && { gate }),
    ...(turn && { turn }),
  }, { x: { value: parts }, bias: reads.bias, residual: reads.residual });
}

/** Zeros, for a product whose bias is added later. */
export function noBias(
  node: GraphNode,
  context: PlanContext,
  channels: number,
): Operand {
  return context.constant(
    node,
    "no bias",
    channels,
    () => packVector(undefined, channels),
  );
}

/** Bias and residual; a tensor that is not read is bound to the bias. */
export function epilogue(
  node: GraphNode,
  context: PlanContext,
  bias: string | undefined,
  outputs: number,
  factor = 1,
): { bias: Operand; residual: Operand } {
  const vector = bias === undefined
    ? undefined
    : floatConstant(node, context, bias);
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
  const role = bias === undefined ? "bias" : context.role("bias", bias);
  const operand = context.constant(node, role, length, () => {
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

/** A constant of floats, such as weights. */
export function floatConstant(
  node: GraphNode,
  context: PlanContext,
  name: string,
): { shape: readonly number[]; data: Float32Array } {
  const tensor = context.floats(name);
  if (tensor) return tensor;
  throw nodeError(
    node,
    `its input "${name}" is no float constant`,
    "unsupported_operator",
    "export the network with its weights as initializers",
  );
}
