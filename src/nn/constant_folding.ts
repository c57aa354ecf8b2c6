/**
 * Replaces nodes that depend on constants alone by their values.
 *
 * @module
 */
import { evaluate } from "./evaluate.ts";
import { FoldingBudget } from "./folding_budget.ts";
import type { Graph, GraphNode, HostTensor } from "./graph.ts";

/**
 * The graph with every node computed whose inputs are constants.
 *
 * Values that depend on the size of the image stay; `inferShapes` resolves
 * those. Nodes that yield a graph output are kept.
 *
 * @throws {OnnxError} When such a node is invalid, or there is too much to compute.
 */
export function foldConstants(graph: Graph): Graph {
  const constants = new Map<string, HostTensor>(graph.constants);
  const budget = new FoldingBudget(constants);
  const outputs = new Set(graph.outputs);
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes) {
    const [output] = node.outputs;
    const wanted = output !== undefined && outputs.has(output);
    const value = wanted ? undefined : evaluate(node, constants, budget);
    if (value && output) constants.set(output, value);
    else nodes.push(node);
  }
  return { ...graph, nodes, constants };
}
