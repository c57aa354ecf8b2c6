/**
 * ONNX bytes to {@linkcode Graph}: everything a file may get wrong is found
 * here, so that later passes need not look again.
 *
 * @module
 */
import type {
  AttributeValue,
  DataType,
  Graph,
  GraphInput,
  GraphNode,
  HostTensor,
} from "../graph.ts";
import { sortNodes } from "../topology.ts";
import { nodeError, OnnxError } from "./errors.ts";
import {
  type AttributeMessage,
  decodeModel,
  type GraphMessage,
  type ModelMessage,
  type NodeMessage,
  type ValueInfoMessage,
} from "./proto.ts";
import {
  type ReadExternal,
  readInlineTensor,
  readTensor,
  toInteger,
} from "./tensor_data.ts";

/** Settings of {@linkcode readOnnx}. */
export interface ReadOnnxOptions {
  /** Reads the bytes of tensors kept in files beside the model. */
  readonly readExternal?: ReadExternal;
}

/** Oldest operator set understood: before it, broadcasting was different. */
export const MIN_OPSET = 7;
/** Newest operator set understood. */
export const MAX_OPSET = 23;

const INPUT_TYPES: Readonly<Record<number, DataType>> = {
  1: "float32",
  2: "uint8",
  3: "int8",
  6: "int32",
  7: "int64",
  9: "bool",
  10: "float32",
  11: "float32",
  16: "float32",
};

/**
 * Reads a model.
 *
 * Nodes come back in topological order, with unique names; float16, bfloat16
 * and float64 tensors as float32; initializers as constants.
 *
 * @throws {OnnxError} For anything wrong with the file; `kind` tells what.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { readOnnx } from "@patchcore/webgpu/nn";
 *
 * const graph = await readOnnx(await Deno.readFile("weights/demo.onnx"));
 * assertEquals(graph.opset, 17);
 * assertEquals(graph.inputs[0]?.shape.slice(1, 2), [3]);
 * ```
 */
export async function readOnnx(
  bytes: Uint8Array,
  options: ReadOnnxOptions = {},
): Promise<Graph> {
  const model = decodeModel(bytes);
  const message = model.graph;
  if (!message || !message.node || message.node.length === 0) {
    throw new OnnxError(
      "no_graph",
      "Cannot read ONNX model: it contains no operators",
      { hint: "the file is no ONNX model or is damaged" },
    );
  }
  const opset = opsetOf(model);
  const constants = await readConstants(message, options.readExternal);
  const inputs = (message.input ?? [])
    .filter(({ name }) => !constants.has(name ?? ""))
    .map(readInput);
  const nodes = readNodes(message.node);
  checkNames(inputs, constants, nodes);
  const outputs = (message.output ?? []).map(({ name }) => name ?? "");
  checkReads(inputs, constants, nodes, outputs);
  checkImageInput(inputs);
  return {
    name: message.name ?? "",
    inputs,
    outputs,
    nodes: sortNodes(nodes),
    constants,
    opset,
    metadata: new Map(
      (model.metadataProps ?? []).map((
        { key, value },
      ) => [key ?? "", value ?? ""]),
    ),
    producer: `${model.producerName ?? ""} ${model.producerVersion ?? ""}`
      .trim(),
  };
}

function opsetOf(model: ModelMessage): number {
  const entry = (model.opsetImport ?? []).find(({ domain }) =>
    !domain || domain === "ai.onnx"
  );
  const hint = `export the network with an opset from ${
    Math.max(MIN_OPSET, 11)
  } to ${MAX_OPSET}`;
  if (!entry) {
    throw new OnnxError(
      "opset",
      "Cannot read ONNX model: it does not say which operator set it uses",
      { hint },
    );
  }
  const version = toInteger(entry.version);
  if (version < MIN_OPSET || version > MAX_OPSET) {
    throw new OnnxError(
      "opset",
      `Cannot read ONNX model: it uses operator set ${version}, understood are ${MIN_OPSET} to ${MAX_OPSET}`,
      { hint },
    );
  }
  return version;
}

async function readConstants(
  graph: GraphMessage,
  readExternal: ReadExternal | undefined,
): Promise<Map<string, HostTensor>> {
  if (graph.sparseInitializer?.length) {
    throw new OnnxError(
      "tensor_type",
      "Cannot read ONNX model: sparse initializers are not supported",
      { hint: "export the network with dense weights" },
    );
  }
  const constants = new Map<string, HostTensor>();
  for (const tensor of graph.initializer ?? []) {
    const name = tensor.name ?? "";
    if (constants.has(name)) throw duplicate(`initializer "${name}"`);
    constants.set(name, await readTensor(tensor, readExternal));
  }
  return constants;
}

function readInput(value: ValueInfoMessage): GraphInput {
  const type = value.type?.tensorType;
  const name = value.name ?? "";
  const dtype = INPUT_TYPES[type?.elemType ?? 0];
  if (!dtype) {
    throw new OnnxError(
      "image_input",
      `Cannot read ONNX model: input "${name}" has element type ${
        type?.elemType ?? "none"
      }, a float image was expected`,
    );
  }
  const shape = (type?.shape?.dim ?? []).map((dim) => {
    if (dim.dimParam) return dim.dimParam;
    const extent = toInteger(dim.dimValue);
    return extent > 0 ? extent : null;
  });
  return { name, dtype, shape };
}

function readNodes(messages: readonly NodeMessage[]): GraphNode[] {
  const taken = new Set(messages.map(({ name }) => name).filter(Boolean));
  const seen = new Set<string>();
  return messages.map((message) => {
    const domain = message.domain ?? "";
    const opType = message.opType ?? "";
    const op = domain === "" || domain === "ai.onnx"
      ? opType
      : `${domain}.${opType}`;
    let name = message.name || `${op}_${message.output?.[0] ?? ""}`;
    for (
      let i = 2, base = name;
      seen.has(name) || !message.name && taken.has(name);
      i++
    ) name = `${base}_${i}`;
    seen.add(name);
    const node = {
      name,
      op,
      inputs: [...message.input ?? []],
      outputs: [...message.output ?? []],
    };
    const attributes: Record<string, AttributeValue> = {};
    for (const attribute of message.attribute ?? []) {
      const value = readAttribute(attribute, node);
      if (value !== undefined) attributes[attribute.name ?? ""] = value;
    }
    return { ...node, attributes };
  });
}

/** The attribute's value; `undefined` for subgraphs and other kinds no supported operator has. */
function readAttribute(
  attribute: AttributeMessage,
  node: { readonly name: string; readonly op: string },
): AttributeValue | undefined {
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  switch (attribute.type) {
    case 1:
      return attribute.f ?? 0;
    case 2:
      return toInteger(attribute.i);
    case 3:
      return text(attribute.s ?? new Uint8Array());
    case 4:
      if (!attribute.t) {
        throw nodeError(
          node,
          `attribute "${attribute.name}" has no tensor`,
        );
      }
      return readInlineTensor(attribute.t);
    case 6:
      return [...attribute.floats ?? []];
    case 7:
      return (attribute.ints ?? []).map(toInteger);
    case 8:
      return (attribute.strings ?? []).map(text);
    default:
      return undefined;
  }
}

function checkNames(
  inputs: readonly GraphInput[],
  constants: ReadonlyMap<string, HostTensor>,
  nodes: readonly GraphNode[],
): void {
  const seen = new Set(constants.keys());
  for (const { name } of inputs) {
    if (seen.has(name)) throw duplicate(`input "${name}"`);
    seen.add(name);
  }
  for (const node of nodes) {
    for (const name of node.outputs) {
      if (name === "") continue;
      if (seen.has(name)) {
        throw duplicate(`tensor "${name}" of ${node.op} "${node.name}"`);
      }
      seen.add(name);
    }
  }
}

function duplicate(what: string): OnnxError {
  return new OnnxError(
    "duplicate_name",
    `Cannot read ONNX model: ${what} has a name that is already taken`,
    { hint: "export the network again" },
  );
}

function checkReads(
  inputs: readonly GraphInput[],
  constants: ReadonlyMap<string, HostTensor>,
  nodes: readonly GraphNode[],
  outputs: readonly string[],
): void {
  const known = new Set([
    ...constants.keys(),
    ...inputs.map(({ name }) => name),
    ...nodes.flatMap((node) => node.outputs),
  ]);
  for (const node of nodes) {
    const missing = node.inputs.find((name) => name && !known.has(name));
    if (missing === undefined) continue;
    throw nodeError(
      node,
      `its input "${missing}" is neither computed nor stored in the model`,
      "missing_input",
      "the model was cut wrongly, export it again",
    );
  }
  const missing = outputs.find((name) => !known.has(name));
  if (missing !== undefined || outputs.length === 0) {
    throw new OnnxError(
      "missing_input",
      missing === undefined
        ? "Cannot read ONNX model: it has no outputs"
        : `Cannot read ONNX model: nothing computes its output "${missing}"`,
      { hint: "export the network again" },
    );
  }
}

function checkImageInput(inputs: readonly GraphInput[]): void {
  const list = inputs.map(({ name, shape, dtype }) =>
    `"${name}" ${dtype} [${shape.map((extent) => extent ?? "?").join(", ")}]`
  ).join(", ");
  const [image] = inputs;
  const [, channels, , last] = image?.shape ?? [];
  const nhwc = last === 3 && channels !== 3;
  const fits = inputs.length === 1 && image !== undefined && !nhwc &&
    image.dtype === "float32" &&
    (image.shape.length === 0 || image.shape.length === 4);
  if (fits) return;
  throw new OnnxError(
    "image_input",
    `Cannot read ONNX model: expected one float input [N, 3, H, W], found ${
      list || "none"
    }`,
    {
      hint: nhwc
        ? "export the network with channels first (NCHW)"
        : "export the image trunk alone",
    },
  );
}
