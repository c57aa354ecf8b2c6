/**
 * Finds normalisation of the image that a network does itself, so that nobody
 * does it twice.
 *
 * @module
 */
import { channelVector } from "./evaluate.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { consumersOf } from "./topology.ts";

/** What a network does to each colour channel before its first layer: (x − mean) / std. */
export interface ImageNormalization {
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

/** Applies an operator to `scale · x + shift`; false when it is no such operator. */
function apply(
  node: GraphNode,
  tensor: string,
  graph: Graph,
  scale: number[],
  shift: number[],
): boolean {
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
