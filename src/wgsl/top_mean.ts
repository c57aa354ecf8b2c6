import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import source from "./top_mean.wgsl" with { type: "text" };

/** Sizes of the patch scores of a batch. */
export interface TopMeanSizes {
  /** Images. */
  readonly images: number;
  /** Patches of an image. */
  readonly patches: number;
  /** The largest scores that count, 1 to `patches`. */
  readonly count: number;
}

/** The mean of every image's largest patch scores. */
export const topMean: Kernel<TopMeanSizes, "patch_scores" | "scores"> =
  defineKernel({
    name: "top_mean",
    source,
    plan: ({ images, patches, count }) => ({
      params: { images, patches, count },
      workgroups: gridFor(images),
    }),
  });
