/**
 * Recognises HardSwish in the operators that older exporters write it with.
 *
 * @module
 */
import { numberAttribute } from "./attributes.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { numbersOf } from "./host_tensor.ts";
import { resolveClip } from "./parameters.ts";
import { producersOf } from "./topology.ts";

/**
 * The graph with x · HardSigmoid(x; 1/6, 1/2), x · Clip(x + 3, 0, 6) / 6 and
 * x · (Clip(x + 3, 0, 6) / 6) as one HardSwish each. What they leave unused
 * stays until unused nodes are removed.
 */
export function recognizeHardSwish(graph: Graph): Graph {
  const producers = producersOf(graph.nodes);
  const nodes = graph.nodes.map((node) => {
    const input = hardSwishInput(node, producers, graph);
    return input === undefined
      ? node
      : { ...node, op: "HardSwish", inputs: [input], attributes: {} };
  });
  return { ...graph, nodes };
}

type Producers = ReadonlyMap<string, GraphNode>;

/** The x of which a node is the HardSwish. */
function hardSwishInput(
  node: GraphNode,
  producers: Producers,
  graph: Graph,
): string | undefined {
  if (node.activation || node.residual !== undefined) return undefined;
  const [a = "", b = ""] = node.inputs;
  if (node.op === "Mul") {
    return [[a, b], [b, a]].find(([x, gate]) =>
      isGate(gate!, x!, 1, producers, graph)
    )?.[0];
  }
  if (node.op !== "Div" || constant(b, graph) !== 6) return undefined;
  const product = producers.get(a);
  if (product?.op !== "Mul") return undefined;
  const [c = "", d = ""] = product.inputs;
  return [[c, d], [d, c]].find(([x, gate]) =>
    isGate(gate!, x!, 6, producers, graph)
  )?.[0];
}

/** Whether a tensor is clip(x + 3, 0, 6) · height / 6. */
function isGate(
  tensor: string,
  x: string,
  height: number,
  producers: Producers,
  graph: Graph,
): boolean {
  const node = producers.get(tensor);
  if (!node || node.activation || node.residual !== undefined) return false;
  const [input = "", other = ""] = node.inputs;
  switch (node.op) {
    case "HardSigmoid":
      return height === 1 && input === x &&
        Math.abs(numberAttribute(node, "alpha", 0.2) - 1 / 6) < 1e-6 &&
        numberAttribute(node, "beta", 0.5) === 0.5;
    case "Div":
      return height === 1 && constant(other, graph) === 6 &&
        isGate(input, x, 6, producers, graph);
    case "Clip": {
      const known = node.inputs.slice(1)
        .every((name) => name === "" || graph.constants.has(name));
      if (height !== 6 || !known) return false;
      const { min, max } = resolveClip(node, graph.constants);
      return min === 0 && max === 6 && isShifted(input, x, producers, graph);
    }
    default:
      return false;
  }
}

/** Whether a tensor is x + 3. */
function isShifted(
  tensor: string,
  x: string,
  producers: Producers,
  graph: Graph,
): boolean {
  const node = producers.get(tensor);
  if (node?.op !== "Add" || node.activation) return false;
  const [a = "", b = ""] = node.inputs;
  return a === x && constant(b, graph) === 3 ||
    b === x && constant(a, graph) === 3;
}

/** Value of a scalar constant. */
function constant(name: string, graph: Graph): number | undefined {
  const tensor = graph.constants.get(name);
  if (tensor?.data.length !== 1) return undefined;
  return tensor.shape.length <= 1 ? numbersOf(tensor)[0] : undefined;
}
