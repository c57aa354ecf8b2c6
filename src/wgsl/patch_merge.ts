import source from "./patch_merge.wgsl" with { type: "text" };
import { defineKernel, type Kernel } from "./kernel.ts";
import { type PatchGridSizes, planPatches } from "./patch_pool.ts";

/**
 * Sizes of the resampling of one tap's patch columns: `input` is the tap's patch
 * grid, `grid` the one that it is brought to.
 */
export type PatchMergeSizes = PatchGridSizes;

/** Merge of the levels of PatchCore's features (paper §3.1). */
export const patchMerge: Kernel<
  PatchMergeSizes,
  "x" | "lines" | "blocks" | "weights" | "y"
> = defineKernel({ name: "patch_merge", source, plan: planPatches });
