import source from "./patch_merge.wgsl" with { type: "text" };
import { defineKernel, type Kernel } from "./kernel.ts";
import type { PatchTarget } from "./patch_pool.ts";

/** Patches of one line of the grid that a lane owns. */
const RUN = 8;

/** Sizes of the resampling of one tap's patch columns. */
export interface PatchMergeSizes extends PatchTarget {
  /** The first image of `x`. */
  readonly firstImage: number;
  /** Number of images. */
  readonly images: number;
  /** The tap's patch grid, `[height, width]`. */
  readonly input: readonly [number, number];
  /** The patch grid it is brought to, `[height, width]`. */
  readonly grid: readonly [number, number];
}

/** Merge of the levels of PatchCore's features (paper §3.1). */
export const patchMerge: Kernel<
  PatchMergeSizes,
  "x" | "lines" | "blocks" | "weights" | "y"
> = defineKernel({
  name: "patch_merge",
  source,
  plan(sizes) {
    const { input, grid, columns, images } = sizes;
    const runs = Math.ceil(grid[1] / RUN);
    return {
      overrides: { ADD: Number(sizes.addBelow > sizes.firstColumn) },
      params: {
        height: input[0],
        width: input[1],
        grid_height: grid[0],
        grid_width: grid[1],
        runs,
        first_image: sizes.firstImage,
        columns,
        first_column: sizes.firstColumn,
        stride: sizes.stride,
        first_row: sizes.firstRow,
        rows: sizes.rows,
        add_below: sizes.addBelow,
      },
      workgroups: [Math.ceil(columns / 64), grid[0] * runs, images],
    };
  },
});
