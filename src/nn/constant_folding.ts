/**
 * Replaces nodes that depend on constants alone by their values.
 *
 * @module
 */
import { evaluate } from "./evaluate.ts";
import type { Graph, GraphNode, HostTensor } from "./graph.ts";

/**
 * The graph with every node computed whose inputs are constants.
 *
 * Values that depend on the size of the image stay; `inferShapes` resolves
 * those. Nodes that yield a graph output are kept.
 *
 * @throws {OnnxError} When such a node is invalid.
 */
export function foldConstants(graph: Graph): Graph {
  const constants = new Map<string, HostTensor>(graph.constants);
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes) {
    const [output] = node.outputs;
    const wanted = output !== undefined && graph.outputs.includes(output);
    const value = wanted ? undefined : evaluate(node, constants);
    if (value && output) constants.set(output, value);
    else nodes.push(node);
  }
  return { ...graph, nodes, constants };
}
