import type { Gpu } from "../gpu/mod.ts";
import { variantFor, type Variants } from "../wgsl/variants.ts";

/**
 * How convolutions and matrix products divide their work among lanes:
 * `subgroup8` for subgroups of 8 lanes (llvmpipe), `shared` through workgroup
 * memory (GPUs), `direct` in registers alone (Apple, and everywhere else),
 * `plain` by the simplest kernel there is, to compare with.
 */
export type ConvTile = "plain" | "direct" | "shared" | "subgroup8";

/** PCI and Vulkan vendor of Apple. */
const APPLE = 0x106b;

/** Tiles that were written for subgroups of a size. */
const SUBGROUP_TILES: Variants<ConvTile | undefined> = {
  portable: undefined,
  subgroup8: "subgroup8",
};

/**
 * The tile that suits an adapter.
 *
 * Browsers name the vendor, wgpu gives its number; on Metal that is 0 and only
 * the description tells.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Gpu } from "@patchcore/webgpu/gpu";
 * import { convTileFor } from "@patchcore/webgpu/nn";
 *
 * using gpu = await Gpu.create();
 * assert(["direct", "shared", "subgroup8"].includes(convTileFor(gpu)));
 * ```
 */
export function convTileFor(
  { subgroupSize, adapterInfo }: Pick<Gpu, "subgroupSize" | "adapterInfo">,
): ConvTile {
  const written = variantFor(SUBGROUP_TILES, subgroupSize);
  if (written !== undefined) return written;
  const { isFallbackAdapter, vendor, description, device } = adapterInfo;
  const name = `${description} ${device}`;
  const isApple = vendor === "apple" || Number(vendor) === APPLE ||
    /\bapple\b/i.test(name);
  const isCpu = isFallbackAdapter || /llvmpipe|swiftshader/i.test(name);
  return isApple || isCpu ? "direct" : "shared";
}
