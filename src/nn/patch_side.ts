import { numbersAttribute } from "./attributes.ts";
import type { Graph } from "./graph.ts";

/**
 * Pixels of the sides of the patches that a network divides its image into: what
 * its first convolution covers, where that is as far as it steps; 1 for a
 * network whose first convolution overlaps itself.
 */
export function patchSide(graph: Graph): number {
  const first = graph.nodes.find(({ op }) => op === "Conv");
  if (first === undefined) return 1;
  const shape = graph.constants.get(first.inputs[1] ?? "")?.shape.slice(2) ??
    numbersAttribute(first, "kernel_shape") ?? [];
  const strides = numbersAttribute(first, "strides") ?? [1, 1];
  const [side = 1] = shape;
  const isWhole = [...shape, ...strides].every((extent) => extent === side);
  return isWhole ? side : 1;
}
