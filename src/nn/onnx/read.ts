/**
 * ONNX bytes to {@linkcode Graph}: everything a file may get wrong is found
 * here, so that later passes need not look again.
 *
 * @module
 */
import type { Graph, GraphNode, HostTensor, Unreadable } from "../graph.ts";
import { imageTensors, sortNodes } from "../topology.ts";
import { nodeError, OnnxError } from "./errors.ts";
import { ExternalFiles } from "./external_data.ts";
import { chooseImage, readInput } from "./image_input.ts";
import {
  decodeModel,
  type GraphMessage,
  type ModelMessage,
  type TensorMessage,
} from "./proto.ts";
import { readNodes } from "./read_nodes.ts";
import {
  isSupportedType,
  type ReadExternal,
  readExternalTensor,
  readInlineTensor,
  toInteger,
  typeName,
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
  const { constants, unreadable } = await readConstants(
    message,
    options.readExternal,
  );
  const declared = (message.input ?? [])
    .filter(({ name = "" }) => !constants.has(name!) && !unreadable.has(name!))
    .map(readInput);
  const read = readNodes(message.node);
  for (const [name, why] of read.unreadable) unreadable.set(name, why);
  const names = declared.map(({ name }) => name);
  checkNames(names, constants, read.nodes);
  const wanted = (message.output ?? []).map(({ name }) => name ?? "");
  checkReads([...names, ...unreadable.keys()], constants, read.nodes, wanted);
  const nodes = sortNodes(read.nodes);
  const { image, others } = chooseImage(declared, nodes);
  for (const [name, why] of others) unreadable.set(name, why);
  return {
    name: message.name ?? "",
    inputs: [image],
    outputs: imageOutputs(wanted, imageTensors(image.name, nodes)),
    nodes,
    constants,
    unreadable,
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

/** The outputs that are computed from the image, each once. */
function imageOutputs(
  outputs: readonly string[],
  computed: ReadonlySet<string>,
): string[] {
  const found = [...new Set(outputs)].filter((name) => computed.has(name));
  if (found.length > 0) return found;
  throw new OnnxError(
    "image_input",
    `Cannot read ONNX model: none of its outputs is computed from the image, but "${
      outputs[0]
    }" from constants or from the image's size alone`,
    { hint: "export the image trunk alone" },
  );
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
): Promise<{
  constants: Map<string, HostTensor>;
  unreadable: Map<string, Unreadable>;
}> {
  const unreadable = new Map<string, Unreadable>();
  for (const { values } of graph.sparseInitializer ?? []) {
    unreadable.set(values?.name ?? "", {
      kind: "tensor_type",
      problem: "it is sparse",
      hint: "export the network with dense weights",
    });
  }
  const constants = new Map<string, HostTensor>();
  const outside = (graph.initializer ?? []).filter((tensor) =>
    tensor.dataLocation === 1 && isSupportedType(tensor.dataType)
  );
  const files = new ExternalFiles(outside, readExternal);
  for (const tensor of graph.initializer ?? []) {
    const name = tensor.name ?? "";
    if (constants.has(name) || unreadable.has(name)) {
      throw duplicate(`initializer "${name}"`);
    }
    try {
      constants.set(name, await readTensor(tensor, files));
    } catch (error) {
      if (!(error instanceof OnnxError) || error.kind !== "tensor_type") {
        throw error;
      }
      unreadable.set(name, {
        kind: "tensor_type",
        problem: `element type ${typeName(tensor.dataType)} is not supported`,
        hint: "export the network in float32, without quantisation",
      });
    }
  }
  return { constants, unreadable };
}

async function readTensor(
  tensor: TensorMessage,
  files: ExternalFiles,
): Promise<HostTensor> {
  return tensor.dataLocation === 1
    ? readExternalTensor(tensor, await files.bytes(tensor))
    : readInlineTensor(tensor);
}

function checkNames(
  inputs: readonly string[],
  constants: ReadonlyMap<string, HostTensor>,
  nodes: readonly GraphNode[],
): void {
  const seen = new Set(constants.keys());
  for (const name of inputs) {
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
  others: readonly string[],
  constants: ReadonlyMap<string, HostTensor>,
  nodes: readonly GraphNode[],
  outputs: readonly string[],
): void {
  const known = new Set([
    ...constants.keys(),
    ...others,
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
