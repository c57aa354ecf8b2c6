import interfacePart from "./attention/interface.wgsl" with { type: "text" };
import keys from "./attention/keys.wgsl" with { type: "text" };
import qkvBuffer from "./attention/qkv_buffer.wgsl" with { type: "text" };
import qkvImage from "./attention/qkv_image.wgsl" with { type: "text" };
import query from "./attention/query.wgsl" with { type: "text" };
import result from "./attention/result.wgsl" with { type: "text" };
import direct from "./attention/tile_direct.wgsl" with { type: "text" };
import shared from "./attention/tile_shared.wgsl" with { type: "text" };
import subgroup8 from "./attention/tile_subgroup8.wgsl" with { type: "text" };
import type { Names } from "./expand.ts";
import { defineKernel, type Kernel } from "./kernel.ts";

/** Sizes of self-attention. */
export interface AttentionSizes {
  /** Images: tokens attend to those of their own. */
  readonly images: number;
  /** Tokens of an image. */
  readonly tokens: number;
  /** Heads. */
  readonly heads: number;
  /** Dimensions of a head: a multiple of 4, at most {@linkcode WIDEST_HEAD}. */
  readonly head: number;
  /** Factor of the scores; one over the root of `head` in most networks. */
  readonly scale: number;
}

/** One form of self-attention. */
export type AttentionKernel = Kernel<AttentionSizes, "qkv" | "y">;

/** How attention divides its work: in registers, through workgroup memory, among 8 lanes. */
export type AttentionTile = "direct" | "shared" | "subgroup8";

/** Dimensions of a head up to which there are kernels. */
export const WIDEST_HEAD = 128;

/** Dimensions that a head may have for each of a tile's kernels. */
const WIDTHS = [32, 64, 96, WIDEST_HEAD] as const;

function family(
  name: AttentionTile,
  [qkv, tile]: readonly [string, string],
  queries: number,
  names: (width: number) => Names,
): readonly AttentionKernel[] {
  return WIDTHS.map((width) =>
    defineKernel({
      name: `attention_${name}_${width}`,
      source: qkv + interfacePart + tile,
      names: { query, keys, result, d4: width / 4, ...names(width) },
      plan({ images, tokens, heads, head, scale }) {
        if (head > width || head % 4 !== 0) {
          throw new RangeError(
            `Cannot attend with heads of ${head} dimensions: expected a multiple of 4, at most ${width}`,
          );
        }
        return {
          params: {
            tokens,
            heads,
            head: head / 4,
            scale: scale * Math.LOG2E,
          },
          workgroups: [Math.ceil(tokens / queries), heads, images],
        };
      },
    })
  );
}

/** Keys whose scores are computed side by side: fewer where a head fills registers. */
function keysTogether(width: number): number {
  return width <= 32 ? 4 : width <= 64 ? 2 : 1;
}

/**
 * Self-attention by tile, each in forms for heads of up to 32, 64, 96 and 128
 * dimensions: softmax of the scores without a matrix of them, sums in float32.
 */
export const ATTENTION_KERNELS: Readonly<
  Record<AttentionTile, readonly AttentionKernel[]>
> = {
  direct: family("direct", [qkvBuffer, direct], 64, (width) => ({
    together: keysTogether(width),
  })),
  shared: family("shared", [qkvBuffer, shared], 64, (width) => ({
    together: keysTogether(width),
    step: width <= 32 ? 64 : width <= 64 ? 32 : 16,
  })),
  subgroup8: family("subgroup8", [qkvImage, subgroup8], 16, (width) => ({
    rows: 16,
    columns: width / 32,
  })),
};

/**
 * The kernel of a tile for heads of so many dimensions.
 *
 * @throws {RangeError} If there is none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { attentionKernel } from "@patchcore/webgpu/wgsl";
 *
 * assertEquals(attentionKernel("shared", 64).name, "attention_shared_64");
 * assertEquals(attentionKernel("direct", 80).name, "attention_direct_96");
 * ```
 */
export function attentionKernel(
  tile: AttentionTile,
  head: number,
): AttentionKernel {
  const kernel = ATTENTION_KERNELS[tile][WIDTHS.findIndex((w) => head <= w)];
  if (kernel !== undefined) return kernel;
  throw new RangeError(
    `Cannot attend with heads of ${head} dimensions: expected ${WIDEST_HEAD} at most`,
  );
}
