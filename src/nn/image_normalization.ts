/**
 * Finds normalisation of the image that a network does itself, so that nobody
 * does it twice.
 *
 * @module
 */
import { numberAttribute } from "./attributes.ts";
import { channelVector } from "./evaluate.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { consumersOf } from "./topology.ts";

/** What a network does to each colour channel before its first layer: (x − mean) / std. */
interface ImageNormalization {
  /** Subtracted from each channel. */
  readonly mean: readonly number[];
  /** Divides each channel. */
  readonly std: readonly number[];
}

/** Operators without influence on a channel's scale. */
const NEUTRAL: readonly string[] = ["Cast", "Dropout", "Identity", "Pad"];

/**
 * The normalisation inside a graph, as some published models have it (they
 * expect images in 0 to 1, or 0 to 255), or `undefined` when there is none and
 * images must be normalised before.
 */
export function imageNormalization(
  graph: Graph,
): ImageNormalization | undefined {
  const consumers = consumersOf(graph.nodes);
  const scale = [1, 1, 1];
  const shift = [0, 0, 0];
  let tensor = graph.inputs[0]?.name ?? "";
  for (;;) {
    const [node, ...others] = (consumers.get(tensor) ?? [])
      .filter(({ op }) => op !== "Shape");
    if (!node || others.length > 0) break;
    if (
      !NEUTRAL.includes(node.op) && !apply(node, tensor, graph, scale, shift)
    ) {
      break;
    }
    tensor = node.outputs[0] ?? "";
  }
  const plain = scale.every((value) => value === 1) &&
    shift.every((value) => value === 0);
  if (plain || scale.includes(0)) return undefined;
  return {
    mean: shift.map((value, c) => value === 0 ? 0 : -value / scale[c]!),
    std: scale.map((value) => 1 / value),
  };
}

/**
 * The levels a network wants its image in: normalised as ImageNet is, from 0 to
 * 1, or from 0 to 255, the latter two because it normalises inside.
 */
export type ImageLevels = "imagenet" | "unit" | "bytes";

/** A deviation beyond this is one of levels from 0 to 255, not from 0 to 1. */
const UNIT_DEVIATION = 8;

/**
 * The levels a network wants its image in, told by the normalisation inside
 * it. One that hardly moves levels (a BatchNormalization of the image) is for
 * images that are normalised already.
 */
export function imageLevels(graph: Graph): ImageLevels {
  const inside = imageNormalization(graph);
  if (inside === undefined) return "imagenet";
  const { mean, std } = inside;
  const exceeds = (value: number): boolean => Math.abs(value) > UNIT_DEVIATION;
  if ([...mean, ...std].some(exceeds)) return "bytes";
  const moves = mean.some((value) => Math.abs(value) > 0.2) ||
    std.some((value) => Math.abs(value) < 0.6);
  return moves ? "unit" : "imagenet";
}

/** Applies an operator to `scale · x + shift`; false when it is no such operator. */
function apply(
  node: GraphNode,
  tensor: string,
  graph: Graph,
  scale: number[],
  shift: number[],
): boolean {
  if (node.op === "BatchNormalization") {
    return applyBatchNorm(node, graph, scale, shift);
  }
  const [a = "", b = ""] = node.inputs;
  const constant = graph.constants.get(a === tensor ? b : a);
  const vector = constant && channelVector(constant, 3);
  if (!vector) return false;
  const reversed = a !== tensor;
  const values = Array.from(vector.data, Number);
  switch (node.op) {
    case "Add":
      values.forEach((value, c) => shift[c]! += value);
      return true;
    case "Sub":
      values.forEach((value, c) => {
        if (reversed) scale[c]! *= -1;
        shift[c] = reversed ? value - shift[c]! : shift[c]! - value;
      });
      return true;
    case "Mul":
    case "Div": {
      if (node.op === "Div" && reversed) return false;
      values.forEach((value, c) => {
        const factor = node.op === "Mul" ? value : 1 / value;
        scale[c]! *= factor;
        shift[c]! *= factor;
      });
      return true;
    }
    default:
      return false;
  }
}

function applyBatchNorm(
  node: GraphNode,
  graph: Graph,
  scale: number[],
  shift: number[],
): boolean {
  const vectors = node.inputs.slice(1, 5).map((name) => {
    const tensor = graph.constants.get(name);
    return tensor?.data.length === 3 ? Array.from(tensor.data, Number) : [];
  });
  if (vectors.length < 4 || vectors.some(({ length }) => length !== 3)) {
    return false;
  }
  const [gamma, beta, mean, variance] = vectors as [
    number[],
    number[],
    number[],
    number[],
  ];
  const epsilon = numberAttribute(node, "epsilon", 1e-5);
  gamma.forEach((value, c) => {
    const factor = value / Math.sqrt(variance[c]! + epsilon);
    scale[c]! *= factor;
    shift[c] = (shift[c]! - mean[c]!) * factor + beta[c]!;
  });
  return true;
}
