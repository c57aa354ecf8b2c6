import { numberAttribute } from "./attributes.ts";
import type { DataType, GraphNode } from "./graph.ts";
import { nodeError } from "./onnx/errors.ts";

/** Number of bfloat16: a cast to it loses more than float32 results may differ by. */
export const BFLOAT16 = 16;
/** Number of float16. */
export const FLOAT16 = 10;

/** Numbers of TensorProto.DataType that Cast may turn into. */
const CAST_TYPES: Readonly<Record<number, DataType>> = {
  1: "float32",
  2: "uint8",
  3: "int8",
  6: "int32",
  7: "int64",
  9: "bool",
  [FLOAT16]: "float32",
  11: "float32",
  [BFLOAT16]: "float32",
};

/** Element type that Cast turns its input into. */
export function castType(node: GraphNode): DataType {
  const to = numberAttribute(node, "to", 0);
  const type = CAST_TYPES[to];
  if (type) return type;
  throw nodeError(
    node,
    `it casts to element type ${to}`,
    "unsupported_operator",
    "export the network in float32",
  );
}
