/**
 * Operators evaluated on the CPU before the network runs: chains of integers
 * that compute shapes, and weights that the file computes from other weights.
 *
 * @module
 */
import { EVALUATORS } from "./evaluators.ts";
import { FoldingBudget } from "./folding_budget.ts";
import type { GraphNode, HostTensor } from "./graph.ts";
import { elementCount, integerTensor } from "./host_tensor.ts";
import { nodeError } from "./onnx/errors.ts";
import { numberAttribute } from "./attributes.ts";
import { type KnownValues, resolveAxis, resolveSplit } from "./parameters.ts";
import { named } from "./named_errors.ts";
import { SHAPE_RULES, shapeRange } from "./shape_rules.ts";
import { rowMajorStrides, strided } from "./strided.ts";

/** Results larger than this are left for the network to compute. */
const MAX_ELEMENTS = 2 ** 26;

/** Operators whose result shares its input's elements. */
const SHARING: readonly string[] = [
  "Constant",
  "Flatten",
  "Identity",
  "Reshape",
  "Squeeze",
  "Unsqueeze",
];

/**
 * Computes a node whose inputs are all known.
 *
 * @returns The value of its only result, or `undefined` when the operator is
 * not among those evaluated here or the result is too large.
 * @throws {OnnxError} When the node is invalid, or the budget is used up.
 */
export function evaluate(
  node: GraphNode,
  values: KnownValues,
  budget: FoldingBudget = new FoldingBudget(values),
): HostTensor | undefined {
  const evaluator = EVALUATORS[node.op];
  const rule = SHAPE_RULES[node.op];
  if (node.op !== "Shape" && (!evaluator || !rule)) return undefined;
  if (node.activation || node.residual !== undefined) return undefined;
  if (node.outputs.slice(1).some((name) => name !== "")) return undefined;
  if (node.inputs.some((name) => name !== "" && !values.has(name))) {
    return undefined;
  }
  const inputs = node.inputs.map((name) => values.get(name));
  return named(node, () => {
    if (node.op === "Shape") return shapeOf(node, inputs[0]);
    const shapes = inputs.map((tensor) => tensor?.shape);
    const shape = rule!(node, { inputs: shapes, values });
    if (!shape.every((extent) => Number.isInteger(extent) && extent >= 0)) {
      throw nodeError(node, `its result would have shape [${shape}]`, "shape");
    }
    const count = elementCount(shape);
    if (!SHARING.includes(node.op)) budget.take(node, count);
    if (count > MAX_ELEMENTS) return undefined;
    return evaluator!(node, inputs, shape, values);
  });
}

/** All results of a Split whose inputs are known, by name. */
export function evaluateSplit(
  node: GraphNode,
  values: KnownValues,
  budget: FoldingBudget,
): ReadonlyMap<string, HostTensor> {
  return named(node, () => {
    const x = values.get(node.inputs[0] ?? "")!;
    budget.take(node, elementCount(x.shape));
    const axis = resolveAxis(
      node,
      numberAttribute(node, "axis", 0),
      x.shape.length,
    );
    const strides = rowMajorStrides(x.shape);
    const parts = new Map<string, HostTensor>();
    let from = 0;
    resolveSplit(node, x.shape[axis]!, values).forEach((count, i) => {
      const shape = x.shape.with(axis, count);
      const part = strided(x, shape, strides, from * strides[axis]!);
      if (node.outputs[i]) parts.set(node.outputs[i], part);
      from += count;
    });
    return parts;
  });
}

function shapeOf(
  node: GraphNode,
  tensor: HostTensor | undefined,
): HostTensor | undefined {
  if (!tensor) return undefined;
  const { shape } = tensor;
  return integerTensor(shape.slice(...shapeRange(node, shape.length)));
}
