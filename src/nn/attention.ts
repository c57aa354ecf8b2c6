/**
 * Tells vision transformers, whose features are tokens and no maps.
 *
 * @module
 */
import { numbersAttribute } from "./attributes.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { imageTensors, producersOf, readsOf } from "./topology.ts";

/** Operators between a product of queries and keys and its softmax. */
const SCALING: readonly string[] = [
  "Add",
  "Cast",
  "Div",
  "Identity",
  "Mul",
  "Reshape",
  "Where",
];

/** A smaller step between patches is one of a convolutional stem. */
const MIN_PATCH = 4;

/**
 * Whether a network is a transformer: it cuts the image into patches that do
 * not overlap, and lets them attend to one another.
 */
export function isTransformer(graph: Graph): boolean {
  const image = graph.inputs[0]?.name ?? "";
  const computed = imageTensors(image, graph.nodes);
  const stem = graph.nodes.find(({ op, inputs }) =>
    op === "Conv" && computed.has(inputs[0] ?? "")
  );
  const kernel = stem && numbersAttribute(stem, "kernel_shape");
  const strides = stem && numbersAttribute(stem, "strides");
  const patches = !stem ||
    (strides?.[0] ?? 1) >= MIN_PATCH && kernel?.[0] === strides?.[0];
  return patches && attentionNodes(graph).length > 0;
}

/** Operators that let tokens attend to one another: fused ones, and softmaxes of scores. */
export function attentionNodes(graph: Graph): GraphNode[] {
  const image = graph.inputs[0]?.name ?? "";
  const computed = imageTensors(image, graph.nodes);
  const producers = producersOf(graph.nodes);
  return graph.nodes.filter((node) =>
    /(^|\.)(MultiHead)?Attention$/.test(node.op) ||
    node.op === "Softmax" && attends(node, computed, producers)
  );
}

/** Whether a softmax is one of products of two tensors that both come from the image. */
function attends(
  softmax: GraphNode,
  computed: ReadonlySet<string>,
  producers: ReadonlyMap<string, GraphNode>,
): boolean {
  let [tensor = ""] = softmax.inputs;
  for (let step = 0; step < 8; step++) {
    const node = producers.get(tensor);
    const products = node && ["Einsum", "MatMul"].includes(node.op);
    if (products) return readsOf(node).every((name) => computed.has(name));
    if (!node || !SCALING.includes(node.op)) return false;
    tensor = readsOf(node).find((name) => computed.has(name)) ?? "";
  }
  return false;
}
