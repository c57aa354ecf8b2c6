import type { HostTensor } from "../../src/nn/graph.ts";
import { Gather } from "./operators.ts";
import { tensor } from "./operands.ts";

/** Channels of `[N, C, H, W]` in the order of `picks`. */
export function gatherChannels(
  x: HostTensor,
  picks: readonly number[],
): HostTensor {
  return Gather([x, tensor([picks.length], picks)], { axis: 1 });
}
