/**
 * How far each tensor of a network is reduced against the image.
 *
 * @module
 */
import { numbersAttribute } from "./attributes.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { knownShapes, nominalShape } from "./shape_inference.ts";
import type { Shape } from "./shape_rules.ts";
import { imageTensors, producersOf } from "./topology.ts";

const WINDOWED: readonly string[] = ["AveragePool", "Conv", "MaxPool"];

/** Operators whose result is a vector, whatever else is known of it. */
const VECTOR_OPERATORS: readonly string[] = [
  "Flatten",
  "Gemm",
  "GlobalAveragePool",
  "GlobalMaxPool",
  "Shape",
  "Squeeze",
];

/** Operators whose result is taken for a vector where its shape is not known. */
const PROBABLY_VECTORS: readonly string[] = ["MatMul", "ReduceMean"];

/**
 * Image pixels per pixel of each feature map, in each direction. Vectors, and
 * maps pooled to one pixel, have none.
 */
export function stridesOf(graph: Graph): Map<string, number> {
  const image = nominalShape(graph);
  const context = {
    graph,
    image,
    shapes: knownShapes(graph, image),
    producers: producersOf(graph.nodes),
    computed: imageTensors(graph.inputs[0]?.name ?? "", graph.nodes),
    strides: new Map<string, number>(),
  };
  for (const { name } of graph.inputs) context.strides.set(name, 1);
  for (const node of graph.nodes) {
    const stride = WINDOWED.includes(node.op)
      ? windowStride(node, context)
      : strideOf(node, context);
    if (stride === undefined) continue;
    for (const name of node.outputs) context.strides.set(name, stride);
  }
  return context.strides;
}

interface StrideContext {
  readonly graph: Graph;
  readonly image: Shape;
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly producers: ReadonlyMap<string, GraphNode>;
  readonly computed: ReadonlySet<string>;
  readonly strides: ReadonlyMap<string, number>;
}

function windowStride(
  node: GraphNode,
  { shapes, strides }: StrideContext,
): number | undefined {
  const [input = ""] = node.inputs;
  const [output = ""] = node.outputs;
  const known = strides.get(input);
  if (known === undefined) return undefined;
  const pooled = node.op === "AveragePool" &&
    isPixel(shapes.get(output)) && !isPixel(shapes.get(input));
  return pooled
    ? undefined
    : known * (numbersAttribute(node, "strides")?.[0] ?? 1);
}

/** Stride of what an operator without windows yields. */
function strideOf(
  node: GraphNode,
  context: StrideContext,
): number | undefined {
  const { shapes, strides, computed, image } = context;
  const [output = ""] = node.outputs;
  if (VECTOR_OPERATORS.includes(node.op) || !computed.has(output)) {
    return undefined;
  }
  const known = node.inputs.filter((name) => strides.has(name));
  const shape = shapes.get(output);
  if (!shape) {
    const vector = PROBABLY_VECTORS.includes(node.op) ||
      node.op === "Reshape" && targetRank(node, context) < 4;
    return vector || known.length === 0
      ? undefined
      : Math.min(...known.map((name) => strides.get(name)!));
  }
  if (shape.length !== 4) return undefined;
  const maps = known.filter((name) => shapes.get(name)?.length === 4);
  if (isPixel(shape) && !maps.some((name) => isPixel(shapes.get(name)))) {
    return undefined;
  }
  const same = maps.filter((name) => sameSize(shapes.get(name)!, shape));
  if (same.length > 0) {
    return Math.min(...same.map((name) => strides.get(name)!));
  }
  const [resized] = maps;
  if (resized !== undefined) {
    const ratio = powerOfTwo(shapes.get(resized)!, shape);
    return ratio === undefined
      ? strides.get(resized)
      : Math.max(strides.get(resized)! * ratio, 1);
  }
  return powerOfTwo(image, shape);
}

function isPixel(shape: Shape | undefined): boolean {
  return shape?.length === 4 && shape[2] === 1 && shape[3] === 1;
}

function sameSize(a: Shape, b: Shape): boolean {
  return a[2] === b[2] && a[3] === b[3];
}

/** How many times larger a map is than another, if it is a power of two in both directions. */
function powerOfTwo(large: Shape, small: Shape): number | undefined {
  const [rows, columns] = [2, 3].map((axis) =>
    Math.round(Math.log2(large[axis]! / small[axis]!))
  );
  return rows === columns ? 2 ** rows! : undefined;
}

/** Number of axes that a Reshape yields, as far as its target tells. */
function targetRank(
  node: GraphNode,
  { graph, producers }: StrideContext,
): number {
  return numbersAttribute(node, "shape")?.length ??
    listLength(node.inputs[1] ?? "", graph, producers);
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
  if (node?.op !== "Concat") return 1;
  return node.inputs.length;
}
