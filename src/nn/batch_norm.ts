/**
 * BatchNormalization at inference is one multiplication and one addition a
 * channel. This pass works them out, and into the Conv before where it can.
 *
 * @module
 */
import { numberAttribute } from "./attributes.ts";
import { FreeNames } from "./free_names.ts";
import type { FloatTensor, Graph, GraphNode, HostTensor } from "./graph.ts";
import { floatTensor } from "./host_tensor.ts";
import { nodeError } from "./onnx/errors.ts";
import { inTraining } from "./training_mode.ts";
import { consumersOf, producersOf } from "./topology.ts";

/** y = scale · x + shift for each channel. */
interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** Adds a constant under a free name, which it returns. */
type AddConstant = (name: string, tensor: HostTensor) => string;

/**
 * Folds each BatchNormalization into the Conv before it, provided that nobody
 * else reads the Conv's result. One that stands alone keeps its operator and
 * gets three inputs: x, scale `[C]`, shift `[C]`, with y = scale · x + shift.
 *
 * @throws {OnnxError} `invalid_node` when statistics are no constant vectors.
 */
export function foldBatchNorm(graph: Graph): Graph {
  const consumers = consumersOf(graph.nodes);
  const producers = producersOf(graph.nodes);
  const constants = new Map<string, HostTensor>(graph.constants);
  const names = new FreeNames(graph);
  const add = (name: string, tensor: HostTensor): string => {
    const free = names.take(name);
    constants.set(free, tensor);
    return free;
  };
  const replaced = new Map<GraphNode, GraphNode | undefined>();
  for (const node of graph.nodes) {
    if (node.op !== "BatchNormalization" || node.inputs.length < 5) continue;
    const affine = affineOf(node, graph.constants);
    const [input = ""] = node.inputs;
    const conv = producers.get(input);
    const alone = conv?.op === "Conv" && !replaced.has(conv) &&
      consumers.get(input)?.length === 1 && !graph.outputs.includes(input) &&
      conv.activation === undefined && conv.residual === undefined;
    const folded = alone ? foldInto(conv, affine, constants, add) : undefined;
    if (conv && folded) {
      replaced.set(conv, { ...folded, outputs: node.outputs });
      replaced.set(node, undefined);
    } else replaced.set(node, standAlone(node, affine, add));
  }
  const nodes = graph.nodes.flatMap((node) => {
    if (!replaced.has(node)) return [node];
    const replacement = replaced.get(node);
    return replacement ? [replacement] : [];
  });
  return { ...graph, nodes, constants };
}

/** scale = gamma / √(var + eps), shift = beta − mean · scale. */
function affineOf(
  node: GraphNode,
  constants: ReadonlyMap<string, HostTensor>,
): Affine {
  if (numberAttribute(node, "training_mode", 0) !== 0) throw inTraining(node);
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((i) => {
    const tensor = constants.get(node.inputs[i] ?? "");
    if (tensor?.dtype === "float32" && tensor.shape.length === 1) return tensor;
    throw nodeError(
      node,
      `its input "${node.inputs[i]}" is no constant float vector`,
    );
  }) as [FloatTensor, FloatTensor, FloatTensor, FloatTensor];
  const epsilon = numberAttribute(node, "epsilon", 1e-5);
  const channels = gamma.data.length;
  if ([beta, mean, variance].some(({ data }) => data.length !== channels)) {
    throw nodeError(node, "its statistics differ in length");
  }
  const scale = Float64Array.from(
    gamma.data,
    (value, c) => value / Math.sqrt(variance.data[c]! + epsilon),
  );
  const shift = Float64Array.from(
    beta.data,
    (value, c) => value - mean.data[c]! * scale[c]!,
  );
  return { scale, shift };
}

function foldInto(
  conv: GraphNode,
  { scale, shift }: Affine,
  constants: ReadonlyMap<string, HostTensor>,
  addConstant: AddConstant,
): GraphNode | undefined {
  const [input = "", weightName = "", biasName = ""] = conv.inputs;
  const weight = constants.get(weightName);
  const bias = biasName === "" ? undefined : constants.get(biasName);
  const fits = weight?.dtype === "float32" &&
    weight.shape[0] === scale.length &&
    (biasName === "" ||
      bias?.dtype === "float32" && bias.data.length === scale.length);
  if (!fits) return undefined;
  const perFilter = weight.data.length / scale.length;
  const data = new Float32Array(weight.data.length);
  for (let filter = 0, i = 0; filter < scale.length; filter++) {
    for (let k = 0; k < perFilter; k++, i++) {
      data[i] = weight.data[i]! * scale[filter]!;
    }
  }
  const shifted = shift.map((value, c) =>
    value + Number(bias?.data[c] ?? 0) * scale[c]!
  );
  return {
    ...conv,
    inputs: [
      input,
      addConstant(
        `${conv.name}.folded_weight`,
        floatTensor(weight.shape, data),
      ),
      addConstant(
        `${conv.name}.folded_bias`,
        floatTensor([shifted.length], shifted),
      ),
    ],
  };
}

function standAlone(
  node: GraphNode,
  { scale, shift }: Affine,
  addConstant: AddConstant,
): GraphNode {
  const [input = ""] = node.inputs;
  const vector = (values: Float64Array): HostTensor =>
    floatTensor([values.length], values);
  return {
    ...node,
    attributes: {},
    inputs: [
      input,
      addConstant(`${node.name}.scale`, vector(scale)),
      addConstant(`${node.name}.shift`, vector(shift)),
    ],
  };
}
