import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
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
> = defineKernel({
  name: "reweight",
  source,
  plan({ images, dim, neighbours }) {
    return {
      params: { images, columns: dim / 4, neighbours },
      workgroups: gridFor(images),
    };
  },
});
