import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import source from "./mask_distances.wgsl" with { type: "text" };

/** Sizes of the distances of a batch. */
export interface MaskDistancesSizes {
  /** Patches of all images. */
  readonly rows: number;
  /** Neighbours found of each. */
  readonly neighbours: number;
}

/** Distances of masked patches set to 0, in place. */
export const maskDistances: Kernel<MaskDistancesSizes, "mask" | "distances"> =
  defineKernel({
    name: "mask_distances",
    source,
    plan: ({ rows, neighbours }) => ({
      params: { rows, neighbours },
      workgroups: gridFor(Math.ceil(rows / 64)),
    }),
  });
