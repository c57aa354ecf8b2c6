/**
 * Rewrites a network into fewer, larger steps that yield the same values.
 *
 * @module
 */
import { numberAttribute } from "./attributes.ts";
import { foldBatchNorm } from "./batch_norm.ts";
import { foldConstants } from "./constant_folding.ts";
import type { Activation, Graph, GraphNode } from "./graph.ts";
import { recognizeHardSwish } from "./hard_swish.ts";
import { sameShape } from "./host_tensor.ts";
import { resolveClip } from "./parameters.ts";
import { rewriteOperators } from "./rewrite.ts";
import { knownShapes, nominalShape } from "./shape_inference.ts";
import type { Shape } from "./shape_rules.ts";
import { simplify } from "./simplify.ts";
import { consumersOf, removeUnused } from "./topology.ts";
import { sinkTransposes } from "./transposes.ts";

/** Operators that can end in a fused activation. */
const ACTIVATION_HOSTS: readonly string[] = [
  "Add",
  "BatchNormalization",
  "Conv",
  "Gemm",
];
/** Operators that can end in a fused addition. */
const RESIDUAL_HOSTS: readonly string[] = ["Conv", "Gemm"];

/**
 * Optimises a graph: constants folded, Transposes that undo each other and
 * no-ops removed, HardSwish recognised, BatchNormalization folded into Conv, residual additions and activations fused.
 *
 * Graph outputs survive under their names; so a tap is never fused away. The
 * result holds for images of every size.
 *
 * @param image Shape `[N, 3, H, W]` to tell residual additions from
 * broadcasting ones, by default a nominal one.
 * @throws {OnnxError} When a node cannot run.
 */
export function optimizeGraph(
  graph: Graph,
  image: Shape = nominalShape(graph),
): Graph {
  const constant = foldConstants(graph);
  const known = knownShapes(constant, image);
  const written = rewriteOperators(sinkTransposes(constant, known), known);
  const simple = recognizeHardSwish(simplify(written));
  const folded = foldBatchNorm(removeUnused(simple));
  return removeUnused(fuse(removeUnused(folded), image));
}

/** Fuses residual additions and activations into the operators before them. */
function fuse(
  graph: Graph,
  image: Shape = nominalShape(graph),
): Graph {
  const shapes = knownShapes(graph, image);
  const fusion = new Fusion(graph, shapes);
  for (const node of graph.nodes) fusion.visit(node);
  return { ...graph, nodes: fusion.nodes() };
}

/** Nodes fused so far, by the tensor they yield. */
class Fusion {
  readonly #graph: Graph;
  readonly #shapes: ReadonlyMap<string, Shape>;
  readonly #readers: ReadonlyMap<string, GraphNode[]>;
  readonly #done = new Map<string, { node: GraphNode; index: number }>();
  #next = 0;

  constructor(graph: Graph, shapes: ReadonlyMap<string, Shape>) {
    this.#graph = graph;
    this.#shapes = shapes;
    this.#readers = consumersOf(graph.nodes);
  }

  visit(node: GraphNode): void {
    const fused = this.#withActivation(node) ?? this.#withResidual(node) ??
      node;
    const key = fused.outputs.find((name) => name !== "") ?? "";
    this.#done.set(key, { node: fused, index: this.#next++ });
  }

  nodes(): GraphNode[] {
    return [...this.#done.values()]
      .sort((a, b) => a.index - b.index)
      .map(({ node }) => node);
  }

  /** The finished producer of a tensor that nothing but the next node reads. */
  #host(tensor: string, operators: readonly string[]): GraphNode | undefined {
    const host = this.#done.get(tensor)?.node;
    const private_ = this.#readers.get(tensor)?.length === 1 &&
      !this.#graph.outputs.includes(tensor);
    return host && private_ && operators.includes(host.op) && !host.activation
      ? host
      : undefined;
  }

  #withActivation(node: GraphNode): GraphNode | undefined {
    const [input = ""] = node.inputs;
    const activation = activationOf(node, this.#graph);
    const host = activation && this.#host(input, ACTIVATION_HOSTS);
    if (!host) return undefined;
    this.#done.delete(input);
    return { ...host, outputs: node.outputs, activation };
  }

  #withResidual(node: GraphNode): GraphNode | undefined {
    const [a = "", b = ""] = node.inputs;
    if (node.op !== "Add" || node.activation) return undefined;
    const [shapeA, shapeB] = [this.#shapes.get(a), this.#shapes.get(b)];
    if (!shapeA || !shapeB || !sameShape(shapeA, shapeB)) return undefined;
    if (this.#graph.constants.has(a) || this.#graph.constants.has(b)) {
      return undefined;
    }
    const candidates = [[a, b], [b, a]].flatMap(([own, other]) => {
      const host = this.#host(own!, RESIDUAL_HOSTS);
      if (!host || host.residual !== undefined || own === other) return [];
      return [{ host, own: own!, other: other! }];
    });
    const index = (tensor: string): number => this.#done.get(tensor)!.index;
    const [best] = candidates.sort((x, y) => index(y.own) - index(x.own));
    if (!best) return undefined;
    this.#done.delete(best.own);
    return { ...best.host, outputs: node.outputs, residual: best.other };
  }
}

/** The activation a node is, or `undefined` when it is another operator. */
export function activationOf(
  node: GraphNode,
  graph: Graph,
): Activation | undefined {
  switch (node.op) {
    case "Relu":
      return { kind: "relu" };
    case "Clip": {
      const bounds = node.inputs.slice(1);
      const known = bounds.every((name) =>
        name === "" || graph.constants.has(name)
      );
      return known
        ? { kind: "clip", ...resolveClip(node, graph.constants) }
        : undefined;
    }
    case "LeakyRelu":
      return {
        kind: "leaky_relu",
        alpha: numberAttribute(node, "alpha", 0.01),
      };
    case "Sigmoid":
      return { kind: "sigmoid" };
    case "HardSwish":
      return { kind: "hard_swish" };
    case "HardSigmoid":
      return {
        kind: "hard_sigmoid",
        alpha: numberAttribute(node, "alpha", 0.2),
        beta: numberAttribute(node, "beta", 0.5),
      };
    default:
      return undefined;
  }
}
