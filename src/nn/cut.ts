/**
 * Cuts a network at the tensors that are wanted.
 *
 * @module
 */
import { numberAttribute, tensorAttribute } from "./attributes.ts";
import type { Graph, GraphNode, HostTensor } from "./graph.ts";
import { nodeError, OnnxError } from "./onnx/errors.ts";
import { SUPPORTED_OPERATORS, unsupported } from "./shape_inference.ts";
import { CONSTANTS_ONLY } from "./operator_kinds.ts";
import { drops, inTraining } from "./training_mode.ts";
import {
  consumersOf,
  imageTensors,
  producersOf,
  readsOf,
  removeUnused,
} from "./topology.ts";

/**
 * The part of a graph that the given tensors need, with them as its outputs.
 *
 * Nothing past the deepest of them remains, and no constant that only the rest
 * used. Operators that are not supported matter only where they remain.
 *
 * @param tensors Names of tensors, as {@linkcode findTaps} or `resolveTaps` give them.
 * @throws {OnnxError} `unknown_tap` or `unsupported_operator`.
 */
export function cutGraph(graph: Graph, tensors: readonly string[]): Graph {
  const producers = producersOf(graph.nodes);
  const unknown = tensors.find((name) => !producers.has(name));
  if (unknown !== undefined || tensors.length === 0) {
    throw new OnnxError(
      "unknown_tap",
      unknown === undefined
        ? "Cannot cut the network: no tensor was given"
        : `Cannot cut the network: no operator computes "${unknown}"`,
    );
  }
  const cut = removeUnused({ ...graph, outputs: [...new Set(tensors)] });
  const computed = imageTensors(cut.inputs[0]?.name ?? "", cut.nodes);
  for (const node of cut.nodes) {
    const onConstants = CONSTANTS_ONLY.includes(node.op) &&
      !node.outputs.some((name) => computed.has(name));
    if (!onConstants && !SUPPORTED_OPERATORS.includes(node.op)) {
      throw unsupported(node);
    }
    refuseUnreadable(node, graph);
    refuseTraining(node, cut, producers);
  }
  return { ...cut, nodes: withOneResult(cut) };
}

function refuseUnreadable(node: GraphNode, { unreadable }: Graph): void {
  for (const name of readsOf(node)) {
    const why = unreadable?.get(name);
    if (!why) continue;
    throw nodeError(
      node,
      `its input "${name}" cannot be used: ${why.problem}`,
      why.kind,
      why.hint,
    );
  }
}

/** Since this operator set an attribute says whether BatchNormalization trains; before, its further results did. */
const TRAINING_MODE_OPSET = 14;

function refuseTraining(
  node: GraphNode,
  { opset, constants }: Graph,
  producers: ReadonlyMap<string, GraphNode>,
): void {
  if (node.op === "BatchNormalization") {
    const trains = opset < TRAINING_MODE_OPSET
      ? node.outputs.slice(1).some((name) => name !== "")
      : numberAttribute(node, "training_mode", 0) !== 0;
    if (trains) throw inTraining(node);
  }
  if (node.op !== "Dropout") return;
  const [, ratio = "", mode = ""] = node.inputs;
  const values = new Map<string, HostTensor>();
  for (const name of [ratio, mode]) {
    const producer = producers.get(name);
    const value = constants.get(name) ??
      (producer?.op === "Constant"
        ? tensorAttribute(producer, "value")
        : undefined);
    if (value) values.set(name, value);
  }
  if (values.has(mode) && drops(node, values)) throw inTraining(node);
}

/** Drops optional second results, such as Dropout's mask, that nobody reads. */
function withOneResult(graph: Graph): GraphNode[] {
  const consumers = consumersOf(graph.nodes);
  return graph.nodes.map((node) => {
    if (node.outputs.length <= 1 || node.op === "Split") return node;
    const [first, ...rest] = node.outputs;
    const used = rest.find((name) =>
      consumers.has(name) || graph.outputs.includes(name)
    );
    if (used === undefined) return { ...node, outputs: [first ?? ""] };
    throw nodeError(
      node,
      `its optional result "${used}" is used`,
      "unsupported_operator",
      "tap a layer before it",
    );
  });
}
