/**
 * Removes operators that change nothing at inference.
 *
 * @module
 */
import { numberAttribute, numbersAttribute } from "./attributes.ts";
import { BFLOAT16, castType } from "./cast_type.ts";
import { elementTypes } from "./element_types.ts";
import type { DataType, Graph, GraphNode } from "./graph.ts";
import { resolvePadding } from "./parameters.ts";
import { drops } from "./training_mode.ts";
import { consumersOf } from "./topology.ts";

/**
 * The graph without Identity, Dropout, Cast between floats, Pad by nothing,
 * Concat of one tensor and pooling of single pixels; and with zero padding
 * moved into the Conv or AveragePool that follows it.
 *
 * Graph outputs keep their names.
 */
export function simplify(graph: Graph): Graph {
  return absorbPads(removeNoOps(graph));
}

function removeNoOps(graph: Graph): Graph {
  const types = elementTypes(graph);
  const outputs = new Set(graph.outputs);
  const renamed = new Map<string, string>();
  const nodes: GraphNode[] = [];
  for (const original of graph.nodes) {
    const node = rename(original, renamed);
    const [input] = node.inputs;
    const [output] = node.outputs;
    const removable = input && output && isNoOp(node, graph, types);
    if (!removable) nodes.push(node);
    else if (!outputs.has(output)) renamed.set(output, input);
    else {
      nodes.push({ ...node, op: "Identity", inputs: [input], attributes: {} });
    }
  }
  return { ...graph, nodes: pullOutputs(nodes, graph) };
}

function rename(
  node: GraphNode,
  names: ReadonlyMap<string, string>,
): GraphNode {
  const renamed = (name: string): string => names.get(name) ?? name;
  return {
    ...node,
    inputs: node.inputs.map(renamed),
    ...(node.residual === undefined
      ? {}
      : { residual: renamed(node.residual) }),
  };
}

function isNoOp(
  node: GraphNode,
  graph: Graph,
  types: ReadonlyMap<string, DataType>,
): boolean {
  switch (node.op) {
    case "Identity":
      return true;
    case "Dropout":
      return !drops(node, graph.constants);
    case "Cast":
      return types.get(node.inputs[0] ?? "") === castType(node) &&
        numberAttribute(node, "to", 0) !== BFLOAT16;
    case "Concat":
      return node.inputs.length === 1;
    case "Pad":
      return padsNothing(node, graph);
    case "AveragePool":
    case "MaxPool":
      return ["kernel_shape", "strides"].every((name) =>
        (numbersAttribute(node, name) ?? [1]).every((extent) => extent === 1)
      ) && (numbersAttribute(node, "pads") ?? []).every((pad) => pad === 0);
    default:
      return false;
  }
}

function padsNothing(node: GraphNode, graph: Graph): boolean {
  const list = numbersAttribute(node, "pads");
  if (list) return list.every((pad) => pad === 0);
  const pads = graph.constants.get(node.inputs[1] ?? "");
  return pads !== undefined && Array.from<number | bigint>(pads.data)
    .every((pad) => Number(pad) === 0);
}

/** Gives the output name of an Identity to the node before it, where that one's own name is free. */
function pullOutputs(nodes: readonly GraphNode[], graph: Graph): GraphNode[] {
  const renamed = new Map<string, string>();
  const kept = nodes.filter((node) => {
    if (node.op !== "Identity") return true;
    const input = node.inputs[0] ?? "";
    const output = node.outputs[0] ?? "";
    const fixed = graph.outputs.includes(input) || renamed.has(input) ||
      graph.constants.has(input) ||
      graph.inputs.some(({ name }) => name === input);
    if (fixed) return true;
    renamed.set(input, output);
    return false;
  });
  return kept.map((node) => ({
    ...rename(node, renamed),
    outputs: node.outputs.map((name) => renamed.get(name) ?? name),
  }));
}

/** Moves the zeros of a Pad into the Convs and AveragePools that alone read it. */
function absorbPads(graph: Graph): Graph {
  const consumers = consumersOf(graph.nodes);
  const source = new Map<string, { input: string; pads: number[] }>();
  for (const node of graph.nodes) {
    const output = node.outputs[0] ?? "";
    const readers = consumers.get(output) ?? [];
    const absorbed = node.op === "Pad" && !graph.outputs.includes(output) &&
      readers.length > 0 &&
      readers.every((reader) => takesPads(reader, output));
    const pads = absorbed ? zeroBorder(node, graph) : undefined;
    if (pads) source.set(output, { input: node.inputs[0] ?? "", pads });
  }
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes) {
    if (source.has(node.outputs[0] ?? "")) continue;
    const border = source.get(node.inputs[0] ?? "");
    if (!border) {
      nodes.push(node);
      continue;
    }
    const own = numbersAttribute(node, "pads") ?? [0, 0, 0, 0];
    const pads = own.map((pad, i) => pad + border.pads[i]!);
    nodes.push({
      ...node,
      inputs: [border.input, ...node.inputs.slice(1)],
      attributes: {
        ...node.attributes,
        ...(node.op === "AveragePool" ? { count_include_pad: 1 } : {}),
        auto_pad: "NOTSET",
        pads,
      },
    });
  }
  return { ...graph, nodes };
}

function takesPads(node: GraphNode, tensor: string): boolean {
  const auto = node.attributes["auto_pad"] ?? "NOTSET";
  const pads = numbersAttribute(node, "pads");
  const explicit = auto === "NOTSET" || auto === "VALID" && !pads;
  if (!explicit || node.inputs[0] !== tensor) return false;
  if (node.op === "Conv") return node.inputs.indexOf(tensor, 1) < 0;
  return node.op === "AveragePool" && !node.attributes["ceil_mode"] &&
    (pads ?? []).every((pad) => pad === 0);
}

function zeroBorder(node: GraphNode, graph: Graph): number[] | undefined {
  const known = node.inputs.slice(1).every((name) =>
    name === "" || graph.constants.has(name)
  );
  const mode = node.attributes["mode"] ?? "constant";
  if (!known || mode !== "constant") return undefined;
  const { begin, end, value } = resolvePadding(node, 4, graph.constants);
  const border = [begin[2]!, begin[3]!, end[2]!, end[3]!];
  const fits = value === 0 && border.every((pad) => pad >= 0) &&
    [begin[0], begin[1], end[0], end[1]].every((pad) => pad === 0);
  return fits ? border : undefined;
}
