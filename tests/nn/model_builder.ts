/** Builds small ONNX models in code, straight from protobuf messages. */
import {
  type AttributeMessage,
  encodeModel,
  type GraphMessage,
  type ModelMessage,
  type NodeMessage,
  type TensorMessage,
  type ValueInfoMessage,
} from "../../src/nn/onnx/proto.ts";

/** An attribute before it is typed: whole numbers are ints, use {@linkcode float} for floats. */
export type Attribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly tensor: TensorMessage };

/** Marks a number as a float attribute. */
export function float(value: number): Attribute {
  return { float: value };
}

/** A node. */
export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
  name: string = output[0] ?? opType,
): NodeMessage {
  return {
    name,
    opType,
    input: [...input],
    output: [...output],
    attribute: Object.entries(attributes).map(([key, value]) =>
      attribute(key, value)
    ),
  };
}

function attribute(name: string, value: Attribute): AttributeMessage {
  if (typeof value === "number") return { name, type: 2, i: value };
  if (typeof value === "string") {
    return { name, type: 3, s: new TextEncoder().encode(value) };
  }
  if ("float" in value) return { name, type: 1, f: value.float };
  if ("tensor" in value) return { name, type: 4, t: value.tensor };
  return { name, type: 7, ints: [...value] };
}

/** A float32 tensor with raw data. */
export function floats(
  name: string,
  dims: readonly number[],
  values: ArrayLike<number>,
): TensorMessage {
  const data = Float32Array.from(values);
  return {
    name,
    dims: [...dims],
    dataType: 1,
    rawData: new Uint8Array(data.buffer),
  };
}

/** An int64 tensor with raw data, one-dimensional unless told otherwise. */
export function integers(
  name: string,
  values: readonly (number | bigint)[],
  dims: readonly number[] = [values.length],
): TensorMessage {
  const data = BigInt64Array.from(values, BigInt);
  return {
    name,
    dims: [...dims],
    dataType: 7,
    rawData: new Uint8Array(data.buffer),
  };
}

/** Name and type of a graph input or output; free dimensions are strings. */
export function value(
  name: string,
  dims: readonly (number | string)[] | undefined,
  elemType = 1,
): ValueInfoMessage {
  const dim = dims?.map((extent) =>
    typeof extent === "number" ? { dimValue: extent } : { dimParam: extent }
  );
  return {
    name,
    type: { tensorType: { elemType, ...(dim ? { shape: { dim } } : {}) } },
  };
}

/** A graph; without inputs and outputs it takes `x` `[n, 3, h, w]` and yields `y`. */
export function graph(
  nodes: readonly NodeMessage[],
  initializers: readonly TensorMessage[] = [],
  {
    inputs = [value("x", ["n", 3, "h", "w"])],
    outputs = [value("y", undefined)],
  }: {
    inputs?: readonly ValueInfoMessage[];
    outputs?: readonly ValueInfoMessage[];
  } = {},
): GraphMessage {
  return {
    name: "test",
    node: [...nodes],
    initializer: [...initializers],
    input: [...inputs],
    output: [...outputs],
  };
}

/** The bytes of a model. */
export function model(
  content: GraphMessage,
  { opset = 13, ...fields }: { opset?: number } & Partial<ModelMessage> = {},
): Uint8Array<ArrayBuffer> {
  return encodeModel({
    irVersion: 8,
    opsetImport: [{ domain: "", version: opset }],
    producerName: "test",
    graph: content,
    ...fields,
  });
}
