import { castType } from "./cast_type.ts";
import { tensorAttribute } from "./attributes.ts";
import type { DataType, Graph, GraphNode } from "./graph.ts";
import { OnnxError } from "./onnx/errors.ts";

/** Operators with a result of one type whatever they read. */
const RESULT_TYPES: Readonly<Record<string, DataType>> = {
  And: "bool",
  DequantizeLinear: "float32",
  Equal: "bool",
  Greater: "bool",
  GreaterOrEqual: "bool",
  Less: "bool",
  LessOrEqual: "bool",
  Not: "bool",
  Or: "bool",
  Shape: "int64",
  Size: "int64",
};

/** Element types of the tensors of a graph, as far as its operators tell. */
export function elementTypes(graph: Graph): ReadonlyMap<string, DataType> {
  const types = new Map<string, DataType>();
  for (const { name, dtype } of graph.inputs) types.set(name, dtype);
  for (const [name, { dtype }] of graph.constants) types.set(name, dtype);
  for (const node of graph.nodes) {
    const type = typeOf(node, types);
    const [output] = node.outputs;
    if (type && output) types.set(output, type);
  }
  return types;
}

function typeOf(
  node: GraphNode,
  types: ReadonlyMap<string, DataType>,
): DataType | undefined {
  const fixed = RESULT_TYPES[node.op];
  if (fixed) return fixed;
  if (node.op === "Cast") return castTypeOrNone(node);
  if (node.op === "Constant") return tensorAttribute(node, "value")?.dtype;
  const inputs = node.op === "Where" ? node.inputs.slice(1) : node.inputs;
  return inputs.map((name) => types.get(name)).find((type) => type);
}

function castTypeOrNone(node: GraphNode): DataType | undefined {
  try {
    return castType(node);
  } catch (error) {
    if (error instanceof OnnxError) return undefined;
    throw error;
  }
}
