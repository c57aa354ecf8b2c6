/**
 * The spine of a network: the tensors that everything after them depends on
 * alone, and how far each is reduced against the image.
 *
 * @module
 */
import { numbersAttribute } from "./attributes.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { consumersOf, producersOf, readsOf, removeUnused } from "./topology.ts";

/** A tensor on the spine, and how it came about. */
export interface SpinePoint {
  /** Name of the tensor. */
  readonly tensor: string;
  /** Operator that yields it. */
  readonly node: GraphNode;
  /** Image pixels per tensor pixel; `undefined` past global pooling. */
  readonly stride: number | undefined;
  /** Whether the operator joins branches, as a residual addition or a concatenation does. */
  readonly merges: boolean;
}

/**
 * The spine from the image to the deepest output, in order: every tensor that
 * all paths from image to output go through.
 */
export function spineOf(graph: Graph): SpinePoint[] {
  const main = removeUnused({ ...graph, outputs: [deepestOutput(graph)] });
  const strides = stridesOf(main);
  const computed = imageTensors(main);
  const consumers = consumersOf(main.nodes);
  const pending = new Map<string, number>();
  const open = new Set<string>();
  const produce = (name: string): void => {
    const readers = consumers.get(name) ?? [];
    pending.set(name, readers.filter(({ op }) => op !== "Shape").length);
    open.add(name);
  };
  const read = (name: string): void => {
    const left = pending.get(name)! - 1;
    pending.set(name, left);
    if (left === 0) open.delete(name);
  };
  for (const { name } of main.inputs) produce(name);
  const spine: SpinePoint[] = [];
  for (const node of main.nodes) {
    const [tensor = ""] = node.outputs;
    if (!computed.has(tensor)) continue;
    const branches = readsOf(node).filter((name) => computed.has(name));
    branches.forEach(read);
    produce(tensor);
    if (open.size !== 1) continue;
    const joins = ["Add", "Concat"].includes(node.op) ||
      node.residual !== undefined;
    spine.push({
      tensor,
      node,
      stride: strides.get(tensor),
      merges: joins && new Set(branches).size > 1,
    });
  }
  return spine;
}

/** The output that depends on the most operators. */
function deepestOutput(graph: Graph): string {
  const sizes = graph.outputs.map((name) =>
    removeUnused({ ...graph, outputs: [name] }).nodes.length
  );
  return graph.outputs[sizes.indexOf(Math.max(...sizes))] ?? "";
}

/** Tensors computed from the image's pixels rather than from its shape. */
function imageTensors(graph: Graph): Set<string> {
  const tensors = new Set(graph.inputs.map(({ name }) => name));
  for (const node of graph.nodes) {
    if (node.op === "Shape") continue;
    if (!readsOf(node).some((name) => tensors.has(name))) continue;
    for (const name of node.outputs) if (name) tensors.add(name);
  }
  return tensors;
}

/**
 * Image pixels per pixel of each feature map, in each direction. Vectors, and
 * maps pooled to one pixel, have none.
 */
export function stridesOf(graph: Graph): Map<string, number> {
  const strides = new Map<string, number>();
  const producers = producersOf(graph.nodes);
  for (const { name } of graph.inputs) strides.set(name, 1);
  for (const node of graph.nodes) {
    if (endsImage(node, graph, producers)) continue;
    const known = node.inputs.flatMap((name) => strides.get(name) ?? []);
    if (known.length === 0) continue;
    const windowed = ["Conv", "MaxPool", "AveragePool"].includes(node.op);
    const step = windowed ? numbersAttribute(node, "strides")?.[0] ?? 1 : 1;
    for (const name of node.outputs) {
      strides.set(name, Math.max(...known) * step);
    }
  }
  return strides;
}

const VECTOR_OPERATORS: readonly string[] = [
  "Flatten",
  "Gemm",
  "GlobalAveragePool",
  "GlobalMaxPool",
  "MatMul",
  "ReduceMean",
  "Shape",
  "Squeeze",
];

/** Whether a node's result is no feature map any more. */
function endsImage(
  node: GraphNode,
  graph: Graph,
  producers: ReadonlyMap<string, GraphNode>,
): boolean {
  if (node.op !== "Reshape") return VECTOR_OPERATORS.includes(node.op);
  const rank = numbersAttribute(node, "shape")?.length ??
    listLength(node.inputs[1] ?? "", graph, producers);
  return rank < 4;
}

/**
 * Length of a list of integers that is computed from shapes: what a Concat
 * joins are single extents or constants.
 */
function listLength(
  tensor: string,
  graph: Graph,
  producers: ReadonlyMap<string, GraphNode>,
): number {
  const constant = graph.constants.get(tensor);
  if (constant) return constant.data.length;
  const node = producers.get(tensor);
  const value = node?.op === "Constant" ? node.attributes["value"] : undefined;
  if (typeof value === "object" && "dtype" in value) return value.data.length;
  if (node?.op === "Cast" || node?.op === "Identity") {
    return listLength(node.inputs[0] ?? "", graph, producers);
  }
  if (node?.op !== "Concat") return 1;
  return node.inputs.reduce(
    (sum, input) => sum + listLength(input, graph, producers),
    0,
  );
}
