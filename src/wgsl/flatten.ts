import source from "./flatten.wgsl" with { type: "text" };
import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";

/** Sizes of flattening images to rows. */
export interface FlattenSizes {
  /** Images. */
  readonly images: number;
  /** Pixels of an image. */
  readonly pixels: number;
  /** Channels, without padding to 4. */
  readonly channels: number;
}

/** ONNX Flatten from axis 1: NHWC → `[N, C · H · W]` in NCHW order. */
export const flatten: Kernel<FlattenSizes, "x" | "y"> = defineKernel({
  name: "flatten",
  source,
  plan({ images, pixels, channels }) {
    const stride = Math.ceil(pixels * channels / 4) * 4;
    const [x, y] = gridFor(Math.ceil(stride / 64));
    return {
      params: {
        pixels,
        channels,
        x_channels: Math.ceil(channels / 4) * 4,
        stride,
      },
      workgroups: [x, y, images],
    };
  },
});
