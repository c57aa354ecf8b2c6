import { gridFor } from "./grid.ts";
import type { Kernel } from "./kernel.ts";
import source from "./reweight.wgsl" with { type: "text" };

/** Sizes of the weighing of image scores. */
export interface ReweightSizes {
  /** Images. */
  readonly images: number;
  /** Elements of a row, a multiple of 4. */
  readonly dim: number;
  /** Bank rows of each image, 2 to 16. */
  readonly neighbours: number;
}

/** The weight of image scores (paper Eq. 7). */
export const reweight: Kernel<
  ReweightSizes,
  "queries" | "worst" | "neighbours" | "indices" | "scores"
> = {
  name: "reweight",
  source,
  bindings: {
    queries: "read",
    worst: "read",
    neighbours: "read",
    indices: "read",
    scores: "read_write",
  },
  params: { images: "u32", columns: "u32", neighbours: "u32" },
  overrides: {},
  plan({ images, dim, neighbours }) {
    return {
      params: { images, columns: dim / 4, neighbours },
      workgroups: gridFor(images),
    };
  },
};
