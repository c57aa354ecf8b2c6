import type { FloatTensor } from "../graph.ts";

/**
 * Gives a parameter of a network while its graph is built, by the name that
 * torchvision's `state_dict()` has, e.g. `layer1.0.conv1.weight`: random
 * numbers, or what a checkpoint holds.
 */
export type WeightSource = (
  name: string,
  shape: readonly number[],
) => FloatTensor;
