/**
 * {@linkcode Graph} to ONNX bytes, readable by any ONNX program.
 *
 * @module
 */
import type {
  AttributeValue,
  DataType,
  Graph,
  GraphNode,
  HostTensor,
} from "../graph.ts";
import { OnnxError } from "./errors.ts";
import {
  type AttributeMessage,
  encodeModel,
  type NodeMessage,
  type TensorMessage,
  type ValueInfoMessage,
} from "./proto.ts";
import { inferShapes, type ShapePlan } from "../shape_inference.ts";
import { FreeNames } from "../free_names.ts";
import { unfuse } from "./unfuse.ts";

/** Settings of {@linkcode writeOnnx}. */
interface WriteOnnxOptions {
  /** How weights are stored; `f16` halves the file. Default `f32`. */
  readonly precision?: "f32" | "f16";
}

/** Numbers of TensorProto.DataType. */
const TYPE_NUMBERS: Readonly<Record<DataType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
};
const FLOAT16 = 10;
/** Cast's attribute value for float32. */
const TO_FLOAT32 = 1;

/**
 * Writes a graph as an ONNX file (IR 8). The same graph gives the same bytes.
 *
 * Fused activations and residual additions become operators of their own
 * again. Weights in `f16` are followed by a Cast, so that the file computes in
 * float32 everywhere.
 */
export function writeOnnx(
  graph: Graph,
  options: WriteOnnxOptions = {},
): Uint8Array<ArrayBuffer> {
  const constants = new Map<string, HostTensor>(graph.constants);
  const names = new FreeNames(graph);
  const nodes = graph.nodes.flatMap((node) =>
    unfuse(node, constants, names, graph.opset)
  );
  const half = options.precision === "f16";
  checkSize(graph.name, constants, half);
  const tensors: TensorMessage[] = [];
  const casts: NodeMessage[] = [];
  for (const [name, tensor] of constants) {
    if (half && tensor.dtype === "float32" && tensor.shape.length > 1) {
      const stored = names.take(`${name}.f16`);
      tensors.push(halfMessage(stored, tensor));
      casts.push(castMessage(stored, name, names.take(`${name}.cast`)));
    } else tensors.push(tensorMessage(name, tensor));
  }
  return encodeModel({
    irVersion: 8,
    producerName: "@patchcore/webgpu",
    opsetImport: [{ domain: "", version: graph.opset }],
    metadataProps: [...graph.metadata].map(([key, value]) => ({ key, value })),
    graph: {
      name: graph.name,
      input: graph.inputs.map(({ name, dtype, shape }) =>
        valueInfo(name, dtype, shape)
      ),
      output: outputInfos(graph),
      initializer: tensors,
      node: [...casts, ...nodes.map(nodeMessage)],
    },
  });
}

/** Bytes that a protobuf message may have. */
const MOST_BYTES = 2 ** 31 - 1;

function checkSize(
  name: string,
  constants: ReadonlyMap<string, HostTensor>,
  half: boolean,
): void {
  let bytes = 0;
  for (const { data, dtype } of constants.values()) {
    bytes += data.byteLength / (half && dtype === "float32" ? 2 : 1);
  }
  if (bytes <= MOST_BYTES) return;
  throw new OnnxError(
    "too_large",
    `Cannot write "${name}": its weights take ${bytes} bytes, an ONNX file has at most ${MOST_BYTES}`,
    { hint: "keep fewer blocks (--until), or write them in f16" },
  );
}

function nodeMessage(node: GraphNode): NodeMessage {
  const dot = node.op.lastIndexOf(".");
  return {
    name: node.name,
    opType: node.op.slice(dot + 1),
    ...(dot < 0 ? {} : { domain: node.op.slice(0, dot) }),
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes).map(([name, value]) =>
      attributeMessage(node, name, value)
    ),
  };
}

/** Attributes that are floats even where their value is whole. */
const FLOAT_ATTRIBUTES: readonly string[] = [
  "alpha",
  "beta",
  "cubic_coeff_a",
  "epsilon",
  "max",
  "min",
  "momentum",
  "ratio",
  "value_float",
  "value_floats",
];

function attributeMessage(
  node: GraphNode,
  name: string,
  value: AttributeValue,
): AttributeMessage {
  const float = FLOAT_ATTRIBUTES.includes(name) ||
    node.op === "Pad" && name === "value";
  if (typeof value === "number") {
    return float ? { name, type: 1, f: value } : { name, type: 2, i: value };
  }
  if (typeof value === "string") {
    return { name, type: 3, s: new TextEncoder().encode(value) };
  }
  if ("dtype" in value) return { name, type: 4, t: tensorMessage("", value) };
  const numbers = value.filter((item) => typeof item === "number");
  if (numbers.length === value.length) {
    return float
      ? { name, type: 6, floats: numbers }
      : { name, type: 7, ints: numbers };
  }
  const strings = value.map((item) => new TextEncoder().encode(String(item)));
  return { name, type: 8, strings };
}

function tensorMessage(name: string, tensor: HostTensor): TensorMessage {
  const { buffer, byteOffset, byteLength } = tensor.data;
  return {
    name,
    dims: [...tensor.shape],
    dataType: TYPE_NUMBERS[tensor.dtype],
    rawData: new Uint8Array(buffer, byteOffset, byteLength),
  };
}

function halfMessage(
  name: string,
  tensor: HostTensor & { readonly dtype: "float32" },
): TensorMessage {
  const halves = new Float16Array(tensor.data);
  const lost = halves.findIndex((half, i) =>
    !Number.isFinite(half) && Number.isFinite(tensor.data[i]!)
  );
  if (lost >= 0) {
    throw new OnnxError(
      "tensor_type",
      `Cannot write tensor "${name}" in f16: it contains ${
        tensor.data[lost]
      }, the largest f16 is 65504`,
      { hint: "write the model in f32" },
    );
  }
  return {
    name,
    dims: [...tensor.shape],
    dataType: FLOAT16,
    rawData: new Uint8Array(halves.buffer),
  };
}

function castMessage(
  input: string,
  output: string,
  name: string,
): NodeMessage {
  return {
    name,
    opType: "Cast",
    input: [input],
    output: [output],
    attribute: [{ name: "to", type: 2, i: TO_FLOAT32 }],
  };
}

/**
 * The outputs with as many free dimensions as they have; ONNX requires that
 * much. Where the network cannot run, the file says nothing of them.
 */
function outputInfos(graph: Graph): ValueInfoMessage[] {
  const told = graph.outputShapes ?? new Map();
  const isTold = graph.outputs.every((name) => told.has(name));
  const shapes = isTold ? new Map() : shapesOf(graph);
  return graph.outputs.map((name) =>
    valueInfo(
      name,
      "float32",
      told.get(name) ?? shapes.get(name)?.map(() => null),
    )
  );
}

function shapesOf(graph: Graph): ShapePlan["shapes"] {
  const sizes = graph.inputs[0]?.shape ?? [];
  const [height, width] = [sizes[2], sizes[3]].map((size) =>
    typeof size === "number" ? size : 224
  );
  try {
    return inferShapes(graph, [1, 3, height!, width!]).shapes;
  } catch (error) {
    if (error instanceof OnnxError) return new Map();
    throw error;
  }
}

function valueInfo(
  name: string,
  dtype: DataType,
  shape?: readonly (number | string | null)[],
): ValueInfoMessage {
  const dim = shape?.map((extent) =>
    typeof extent === "number"
      ? { dimValue: extent }
      : extent === null
      ? {}
      : { dimParam: extent }
  );
  return {
    name,
    type: {
      tensorType: {
        elemType: TYPE_NUMBERS[dtype],
        ...(dim && dim.length > 0 ? { shape: { dim } } : {}),
      },
    },
  };
}
