import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import shared from "./layer_norm/total_shared.wgsl" with { type: "text" };
import subgroup8 from "./layer_norm/total_subgroup8.wgsl" with { type: "text" };
import source from "./layer_norm.wgsl" with { type: "text" };

/** Sizes of a normalisation of rows. */
export interface LayerNormSizes {
  /** Images. */
  readonly images: number;
  /** Rows of an image in `x`. */
  readonly rows: number;
  /** Rows at each image's start that `y` does without; 0 by default. */
  readonly skip?: number;
  /** Channels, without padding to 4. */
  readonly channels: number;
  /** Added to the variance. */
  readonly epsilon: number;
}

/** One form of {@linkcode layerNorm}. */
export type LayerNormKernel = Kernel<
  LayerNormSizes,
  "x" | "gamma" | "beta" | "y"
>;

function form(name: string, total: string, lanes: number): LayerNormKernel {
  return defineKernel({
    name,
    source: total + source,
    names: { lanes },
    plan({ images, rows, skip = 0, channels, epsilon }) {
      const kept = rows - skip;
      return {
        params: {
          rows: images * kept,
          y_rows: kept,
          x_rows: rows,
          skip,
          columns: Math.ceil(channels / 4),
          channels,
          epsilon,
        },
        workgroups: gridFor(images * kept),
      };
    },
  });
}

/** ONNX LayerNormalization over the channels of rows, sums in float32. */
export const layerNorm: Readonly<
  Record<"portable" | "subgroup8", LayerNormKernel>
> = {
  portable: form("layer_norm", shared, 64),
  subgroup8: form("layer_norm_subgroup8", subgroup8, 8),
};
