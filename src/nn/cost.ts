/**
 * What a network costs: multiplications and parameters.
 *
 * @module
 */
import type { Graph, GraphNode } from "./graph.ts";
import { elementCount } from "./host_tensor.ts";
import { inferShapes } from "./shape_inference.ts";
import type { Shape } from "./shape_rules.ts";
import { readsOf } from "./topology.ts";
import { TOKEN_OPERATORS } from "./transformer/token_operators.ts";

/** Cost of one operator or of a whole network. */
interface Cost {
  /** Multiply-accumulate operations of convolutions and matrix products. */
  readonly macs: number;
  /** Elements of the constants read. */
  readonly parameters: number;
  /** Elements written. */
  readonly activations: number;
}

/** Cost of a network, in all and by operator. */
interface GraphCost extends Cost {
  /** Cost of each operator, in order. */
  readonly nodes: readonly (Cost & { readonly node: GraphNode })[];
}

/**
 * Cost of one operator. Constants shared with other operators count again.
 *
 * @param shapes Shapes of all tensors, as `inferShapes` gives them.
 */
export function nodeCost(
  node: GraphNode,
  shapes: ReadonlyMap<string, Shape>,
  constants: Graph["constants"],
): Cost {
  const output = elementCount(shapes.get(node.outputs[0] ?? "") ?? [0]);
  const parameters = readsOf(node)
    .map((name) => constants.get(name))
    .filter((tensor) => tensor?.dtype === "float32")
    .reduce((sum, tensor) => sum + tensor!.data.length, 0);
  const macs = output * termsPerElement(node, shapes);
  return { macs, parameters, activations: output };
}

/** Products summed for each element of the result. */
function termsPerElement(
  node: GraphNode,
  shapes: ReadonlyMap<string, Shape>,
): number {
  const [a = [], b = []] = node.inputs.map((name) => shapes.get(name) ?? []);
  switch (node.op) {
    case "Conv":
      return elementCount(b.slice(1));
    case "Gemm":
      return elementCount(b) /
        Math.max(b[node.attributes["transB"] ? 0 : 1] ?? 1, 1);
    case "MatMul":
      return a.at(-1) ?? 0;
    case TOKEN_OPERATORS.linear:
      return a[1] ?? 0;
    case TOKEN_OPERATORS.attention:
      return 2 * (a[2] ?? 0);
    default:
      return 0;
  }
}

/** Cost of running a graph on images of the given shape `[N, 3, H, W]`. */
export function graphCost(graph: Graph, image: Shape): GraphCost {
  const { shapes, nodes } = inferShapes(graph, image);
  const costs = nodes.map((node) => ({
    node,
    ...nodeCost(node, shapes, graph.constants),
  }));
  const used = new Set(nodes.flatMap(readsOf));
  const parameters = [...graph.constants]
    .filter(([name, { dtype }]) => dtype === "float32" && used.has(name))
    .reduce((sum, [, { data }]) => sum + data.length, 0);
  return {
    macs: costs.reduce((sum, { macs }) => sum + macs, 0),
    parameters,
    activations: costs.reduce((sum, cost) => sum + cost.activations, 0),
    nodes: costs,
  };
}
