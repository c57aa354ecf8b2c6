/**
 * Who produces and who reads each tensor of a graph, and in which order nodes
 * can run.
 *
 * @module
 */
import type { Graph, GraphNode, HostTensor } from "./graph.ts";
import { nodeError } from "./onnx/errors.ts";

/** Every tensor a node reads: its present inputs, then its residual. */
export function readsOf(node: GraphNode): string[] {
  const names = node.inputs.filter((name) => name !== "");
  if (node.residual !== undefined) names.push(node.residual);
  return names;
}

/** The node that writes each tensor. */
export function producersOf(
  nodes: readonly GraphNode[],
): Map<string, GraphNode> {
  const producers = new Map<string, GraphNode>();
  for (const node of nodes) {
    for (const name of node.outputs) if (name) producers.set(name, node);
  }
  return producers;
}

/** The nodes that read each tensor, once for each time they read it. */
export function consumersOf(
  nodes: readonly GraphNode[],
): Map<string, GraphNode[]> {
  const consumers = new Map<string, GraphNode[]>();
  for (const node of nodes) {
    for (const name of readsOf(node)) {
      const list = consumers.get(name);
      if (list) list.push(node);
      else consumers.set(name, [node]);
    }
  }
  return consumers;
}

/**
 * Nodes in an order in which each comes after the producers of its inputs;
 * the given order is kept where it already is one.
 *
 * @throws {OnnxError} `cycle` when there is no such order.
 */
export function sortNodes(nodes: readonly GraphNode[]): GraphNode[] {
  const producers = producersOf(nodes);
  const state = new Map<GraphNode, "open" | "done">();
  const sorted: GraphNode[] = [];
  for (const root of nodes) {
    const stack = [{ node: root, next: 0 }];
    if (state.has(root)) continue;
    state.set(root, "open");
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const reads = readsOf(top.node);
      if (top.next === reads.length) {
        state.set(top.node, "done");
        sorted.push(top.node);
        stack.pop();
        continue;
      }
      const producer = producers.get(reads[top.next++]!);
      if (!producer || state.get(producer) === "done") continue;
      if (state.get(producer) === "open") {
        const loop = stack.map(({ node }) => node);
        const names = loop.slice(loop.indexOf(producer))
          .slice(0, 8).map((node) => `"${node.name}"`);
        throw nodeError(
          producer,
          `it needs its own result, through ${names.join(", ")}`,
          "cycle",
        );
      }
      state.set(producer, "open");
      stack.push({ node: producer, next: 0 });
    }
  }
  return sorted;
}

/** The graph without nodes and constants that no output depends on. */
export function removeUnused(graph: Graph): Graph {
  const needed = new Set(graph.outputs);
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    nodes.push(node);
    for (const name of readsOf(node)) needed.add(name);
  }
  const constants = new Map<string, HostTensor>();
  for (const [name, tensor] of graph.constants) {
    if (needed.has(name)) constants.set(name, tensor);
  }
  return { ...graph, nodes: nodes.reverse(), constants };
}

/** Operators that look at a tensor's shape and not at its elements. */
const SHAPE_READERS: readonly string[] = ["Shape", "Size"];

/** Tensors computed from the image's pixels rather than from its shape. */
export function imageTensors(
  image: string,
  nodes: readonly GraphNode[],
): Set<string> {
  const tensors = new Set([image]);
  for (const node of nodes) {
    if (SHAPE_READERS.includes(node.op)) continue;
    if (!readsOf(node).some((name) => tensors.has(name))) continue;
    for (const name of node.outputs) if (name) tensors.add(name);
  }
  return tensors;
}
