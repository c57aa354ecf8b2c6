import { pixelGrid } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import source from "./tokens.wgsl" with { type: "text" };

/** Sizes of making tokens of patches. */
export interface TokensSizes {
  /** Images. */
  readonly images: number;
  /** Tokens of an image. */
  readonly tokens: number;
  /** Tokens before the patches'. */
  readonly prefix: number;
  /** Channels, without padding to 4. */
  readonly channels: number;
}

/** Patches with positions, behind tokens that belong to none. */
export const tokens: Kernel<TokensSizes, "x" | "offset" | "y"> = defineKernel({
  name: "tokens",
  source,
  plan: ({ images, tokens, prefix, channels }) => ({
    params: {
      rows: images * tokens,
      tokens,
      prefix,
      channels: Math.ceil(channels / 4),
    },
    workgroups: pixelGrid(Math.ceil(channels / 4), images * tokens),
  }),
});
