import type { Gpu } from "../gpu/mod.ts";
import {
  conv2dDirect,
  type Conv2dSizes,
  conv2dSubgroup8,
} from "../wgsl/conv2d.ts";
import type { Kernel } from "../wgsl/kernel.ts";

/** Kernels of convolutions and matrix products by the name of their tile. */
export const CONV_TILES: Readonly<Record<ConvTile, Kernel<Conv2dSizes>>> = {
  direct: conv2dDirect,
  subgroup8: conv2dSubgroup8,
};

/** Name of a tile: how a kernel divides the work among lanes. */
export type ConvTile = "direct" | "subgroup8";

/** The tile that suits an adapter. */
export function convTileFor(gpu: Gpu): ConvTile {
  return gpu.subgroupSize === 8 ? "subgroup8" : "direct";
}
