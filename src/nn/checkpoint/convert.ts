/**
 * Makes an ONNX network of a checkpoint: no Python, no exporter.
 *
 * @module
 */

import {
  type Architecture,
  buildGraph,
  POSITIONS_KEY,
  transpose,
} from "../architectures/architecture.ts";
import { architecture, ARCHITECTURES } from "../architectures/catalogue.ts";
import { cutGraph } from "../cut.ts";
import type { FloatTensor, Graph, HostTensor } from "../graph.ts";
import { floatTensor, sameShape } from "../host_tensor.ts";
import { currentTensorName } from "../known_weights.ts";
import { writeOnnx } from "../onnx/write.ts";
import { floatData, type StoredTensor } from "../stored_tensor.ts";
import { CheckpointError, printable } from "./checkpoint_error.ts";
import type { StateDict } from "./state_dict.ts";
import {
  recogniseTransformer,
  transformerTensors,
} from "./transformer_tensors.ts";

/** Hierarchy levels a network can end with, from the image on. */
export const LEVELS = ["layer1", "layer2", "layer3", "layer4"] as const;

/** A hierarchy level. */
export type Level = typeof LEVELS[number];

/** Settings of {@linkcode convertWeights}. */
export interface ConvertOptions {
  /**
   * The last hierarchy level kept, `layer3` by default; a transformer's blocks
   * are chosen with its architecture.
   */
  readonly until?: Level;
  /** How the weights are stored; `f32` by default. */
  readonly precision?: "f32" | "f16";
  /** More strings for the file's metadata, e.g. `random` → seed. */
  readonly metadata?: ReadonlyMap<string, string>;
}

/** The network that {@linkcode checkpointGraph} has made. */
export interface CheckpointGraph {
  /** The network up to the last level kept; its outputs are the levels. */
  readonly graph: Graph;
  /** Number of weights in it. */
  readonly parameters: number;
}

/** A network as an ONNX file, and how large it is. */
export interface Converted {
  /** The ONNX file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Number of weights in it. */
  readonly parameters: number;
}

/**
 * Makes an ONNX file of a network's weights; its outputs are the hierarchy
 * levels, of a transformer all tokens of the last block, normalised. Batch
 * normalisation stays an operator of its own. The same weights and metadata give
 * the same bytes, whatever file they came in.
 *
 * The classifier, and whatever else lies past the last level, need not be in
 * the checkpoint.
 *
 * @throws {CheckpointError} When the weights are not those of the architecture:
 * a tensor is missing, of another shape or dtype, unexpected, or not finite.
 */
export function convertWeights(
  tensors: StateDict,
  network: Architecture,
  options: ConvertOptions = {},
): Converted {
  const { precision = "f32" } = options;
  const { graph, parameters } = checkpointGraph(tensors, network, options);
  return { bytes: writeOnnx(graph, { precision }), parameters };
}

/**
 * Makes the graph of a network's weights, as {@linkcode convertWeights} writes it.
 *
 * @throws {CheckpointError} When the weights are not those of the architecture.
 */
export function checkpointGraph(
  tensors: StateDict,
  network: Architecture,
  options: Omit<ConvertOptions, "precision"> = {},
): CheckpointGraph {
  const { until = "layer3", metadata = [] } = options;
  const { weights, unexpected } = namedWeights(tensors, network);
  const empty = untrained(network, until);
  const shapes = new Map(
    network.parameters.flatMap(({ name, shape }) =>
      empty.constants.has(name) ? [[name, shape] as const] : []
    ),
  );
  const problem = firstProblem(weights, shapes, unexpected);
  if (problem !== undefined) {
    const other = recognise(tensors);
    throw cannotConvert(
      network,
      other === undefined || other === network.name
        ? problem
        : `they are those of "${other}"`,
    );
  }
  const constants = new Map<string, HostTensor>();
  let parameters = 0;
  const transposed = new Set(
    network.parameters.flatMap(({ name, transposed }) =>
      transposed ? [name] : []
    ),
  );
  for (const name of empty.constants.keys()) {
    const tensor = floats(network, name, weights.get(name)!);
    constants.set(name, transposed.has(name) ? transpose(tensor) : tensor);
    parameters += tensor.data.length;
  }
  const { transformer } = network;
  const marks = new Map([
    ["architecture", network.name],
    ...(transformer ? [[POSITIONS_KEY, transformer.positions] as const] : []),
    ...metadata,
  ]);
  return { graph: { ...empty, constants, metadata: marks }, parameters };
}

/** Weights by the names that an architecture has, and names that it lacks. */
function namedWeights(
  tensors: StateDict,
  network: Architecture,
): { readonly weights: StateDict; readonly unexpected: readonly string[] } {
  if (network.transformer) {
    const { tensors: weights, unexpected } = transformerTensors(
      tensors,
      network.transformer,
    );
    return { weights, unexpected };
  }
  const weights = withCurrentNames(tensors);
  return { weights, unexpected: unexpectedNames(weights, network) };
}

/**
 * Returns the architecture whose tensors these are, told by their names and
 * shapes; the classifier may have any number of classes.
 *
 * @throws {CheckpointError} When it is none that is known.
 */
export function recogniseArchitecture(tensors: StateDict): Architecture {
  const name = recognise(tensors);
  if (name !== undefined) return architecture(name);
  const some = [...tensors.keys()].slice(0, 3).map((name) => printable(name));
  throw new CheckpointError(
    `Cannot tell the network of the weights (${some.join(", ")}, …): ` +
      `known are ${ARCHITECTURES.join(", ")}`,
  );
}

function withCurrentNames(tensors: StateDict): StateDict {
  return new Map(
    [...tensors].map(([name, tensor]) => [currentTensorName(name), tensor]),
  );
}

/** The network up to a level, its weights without elements. */
function untrained(network: Architecture, until: Level): Graph {
  const empty = new Map(
    network.parameters.map(({ name, shape }) => [name, floatTensor(shape, [])]),
  );
  const whole = buildGraph(network, empty);
  if (network.transformer) return whole;
  const levels = network.levels.slice(0, LEVELS.indexOf(until) + 1);
  return cutGraph(whole, levels);
}

/** Says what is wrong with the weights, if something is. */
function firstProblem(
  weights: StateDict,
  shapes: ReadonlyMap<string, readonly number[]>,
  [unexpected]: readonly string[],
): string | undefined {
  for (const [name, shape] of shapes) {
    const tensor = weights.get(name);
    if (!tensor) return `tensor "${name}" is missing`;
    if (!sameShape(tensor.shape, shape)) {
      return `tensor "${name}" has shape [${tensor.shape}], expected [${shape}]`;
    }
  }
  return unexpected === undefined
    ? undefined
    : `tensor "${printable(unexpected)}" does not belong to it`;
}

function unexpectedNames(weights: StateDict, network: Architecture): string[] {
  const expected = new Set(network.parameters.map(({ name }) => name));
  return [...weights.keys()].filter((name) =>
    !expected.has(name) && !name.endsWith(".num_batches_tracked")
  );
}

function recognise(tensors: StateDict): string | undefined {
  const networks = ARCHITECTURES.map((name) => architecture(name));
  const transformer = recogniseTransformer(tensors, networks);
  if (transformer) return transformer.name;
  const weights = withCurrentNames(tensors);
  return networks.find((network) => {
    return network.transformer === undefined &&
      unexpectedNames(weights, network).length === 0 &&
      network.parameters.every(({ name, shape, role }) =>
        role === "linear_weight" || role === "linear_bias" ||
        sameShape(weights.get(name)?.shape ?? [], shape)
      );
  })?.name;
}

function floats(
  network: Architecture,
  name: string,
  tensor: StoredTensor,
): FloatTensor {
  const { dtype, shape } = tensor;
  if (!["F16", "BF16", "F32", "F64"].includes(dtype)) {
    throw cannotConvert(
      network,
      `tensor "${name}" is ${dtype}, expected F16, BF16, F32 or F64`,
    );
  }
  const data = floatData(tensor);
  const wrong = data.find((x) => !Number.isFinite(x));
  if (wrong !== undefined) {
    throw cannotConvert(network, `tensor "${name}" holds ${wrong}`);
  }
  return floatTensor(shape, data);
}

function cannotConvert(network: Architecture, what: string): CheckpointError {
  return new CheckpointError(
    `Cannot convert the weights to "${network.name}": ${what}`,
  );
}
