import { gridFor } from "./grid.ts";
import source from "./image_max.wgsl" with { type: "text" };
import { defineKernel, type Kernel } from "./kernel.ts";

/** Sizes of the patch scores of a batch and their maxima. */
export interface ImageMaxSizes {
  /** Images. */
  readonly images: number;
  /** Patches of an image. */
  readonly patches: number;
  /** Neighbours found of each patch. */
  readonly neighbours: number;
  /** Neighbours whose mean distance is the patch score, the nearest ones. */
  readonly used: number;
  /** Whether scores are made of squared distances. */
  readonly squared: boolean;
  /** What patch scores are multiplied with, 1 by default. */
  readonly scale?: number;
}

/** Patch scores and the largest of every image (paper Eq. 6). */
export const imageMax: Kernel<
  ImageMaxSizes,
  "distances" | "indices" | "patch_scores" | "scores" | "worst" | "nearest"
> = defineKernel({
  name: "image_max",
  source,
  plan({ images, patches, neighbours, used, squared, scale = 1 }) {
    return {
      overrides: { SQUARED: Number(squared), SCALE: scale },
      params: { images, patches, neighbours, used },
      workgroups: gridFor(images),
    };
  },
});
