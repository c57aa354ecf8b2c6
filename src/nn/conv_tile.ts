import type { Gpu } from "../gpu/mod.ts";
import {
  conv2dDirect,
  conv2dShared,
  type Conv2dSizes,
  conv2dSubgroup8,
  conv2dSubgroup8Tall,
  type WeightPrecision,
} from "../wgsl/conv2d.ts";
import type { Kernel } from "../wgsl/kernel.ts";

/**
 * How convolutions and matrix products divide their work among lanes:
 * `subgroup8` for subgroups of 8 lanes (llvmpipe), `shared` through workgroup
 * memory (GPUs), `direct` in registers alone (Apple, and everywhere else).
 */
export type ConvTile = "direct" | "shared" | "subgroup8";

/** What convolutions are planned for. */
export interface ConvTarget {
  /** How the work is divided. */
  readonly tile: ConvTile;
  /** How weights are stored. */
  readonly precision: WeightPrecision;
}

/** The tile that suits an adapter. */
export function convTileFor(gpu: Gpu): ConvTile {
  if (gpu.subgroupSize === 8) return "subgroup8";
  const { isFallbackAdapter, vendor } = gpu.adapterInfo;
  return isFallbackAdapter || vendor === "apple" ? "direct" : "shared";
}

/** Outputs per second of a tall tile against a plain one, measured on llvmpipe. */
const TALL_GAIN = 1.2;

/** The kernel for one convolution or matrix product. */
export function convKernel(
  { tile, precision }: ConvTarget,
  { images, output }: Pick<Conv2dSizes, "images" | "output">,
): Kernel<Conv2dSizes> {
  if (tile === "direct") return conv2dDirect[precision];
  if (tile === "shared") return conv2dShared[precision];
  const rows = images * output[0] * output[1];
  const tall = Math.ceil(rows / 32) * 2 < Math.ceil(rows / 16) * TALL_GAIN;
  return (tall ? conv2dSubgroup8Tall : conv2dSubgroup8)[precision];
}
