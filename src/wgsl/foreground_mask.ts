import source from "./foreground_mask.wgsl" with { type: "text" };
import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";

/** Sizes and switches of the masks of a batch. */
export interface ForegroundMaskSizes {
  /** Images. */
  readonly images: number;
  /** Patch grid, `[height, width]`. */
  readonly grid: readonly [number, number];
  /** What a component has to be above. */
  readonly threshold: number;
  /** Whether the mask grows along the list of patches instead of the grid. */
  readonly line: boolean;
}

/** Share of the grid that is left out at each end: the rest is the middle. */
const BORDER = 0.2;

/** Where at most this share of the middle is above the threshold, the sign turns. */
const FEW = 0.35;

/** Masks of the foreground from first principal components (AnomalyDINO). */
export const foregroundMask: Kernel<
  ForegroundMaskSizes,
  "components" | "mask"
> = defineKernel({
  name: "foreground_mask",
  source,
  plan({ images, grid: [height, width], threshold, line }) {
    const [top, left] = [height, width].map((n) => Math.floor(n * BORDER));
    const [bottom, right] = [height, width]
      .map((n) => Math.floor(n * (1 - BORDER)));
    const few = Math.floor((bottom! - top!) * (right! - left!) * FEW);
    return {
      overrides: { LINE: Number(line) },
      params: {
        ...{ images, height, width },
        ...{ top: top!, bottom: bottom!, left: left!, right: right!, few },
        threshold,
      },
      workgroups: gridFor(images),
    };
  },
});
