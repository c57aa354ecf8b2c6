import { gridFor } from "./grid.ts";
import source from "./image_max.wgsl" with { type: "text" };
import type { Kernel } from "./kernel.ts";

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
}

/** Patch scores and the largest of every image (paper Eq. 6). */
export const imageMax: Kernel<
  ImageMaxSizes,
  "distances" | "indices" | "patch_scores" | "scores" | "worst" | "nearest"
> = {
  name: "image_max",
  source,
  bindings: {
    distances: "read",
    indices: "read",
    patch_scores: "read_write",
    scores: "read_write",
    worst: "read_write",
    nearest: "read_write",
  },
  params: { images: "u32", patches: "u32", neighbours: "u32", used: "u32" },
  overrides: { SQUARED: 0 },
  plan({ images, patches, neighbours, used, squared }) {
    return {
      overrides: { SQUARED: Number(squared) },
      params: { images, patches, neighbours, used },
      workgroups: gridFor(images),
    };
  },
};
