import source from "./pad2d.wgsl" with { type: "text" };
import { pixelGrid } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";

const MODES = { constant: 0, reflect: 1, edge: 2 } as const;

/** Sizes of padding an image. */
export interface Pad2dSizes {
  /** Images. */
  readonly images: number;
  /** Channels, without padding to 4. */
  readonly channels: number;
  /** Input size `[height, width]` in pixels. */
  readonly input: readonly [number, number];
  /** Output size `[height, width]` in pixels. */
  readonly output: readonly [number, number];
  /** Pixels added (cropped when negative) `[top, left]`. */
  readonly pads: readonly [number, number];
  /** What the new pixels hold. */
  readonly mode: "constant" | "reflect" | "edge";
  /** Value of the new pixels in mode `constant`. */
  readonly value: number;
}

/** ONNX Pad on height and width, NHWC. */
export const pad2d: Kernel<Pad2dSizes, "x" | "y"> = defineKernel({
  name: "pad2d",
  source,
  plan({ images, channels, input, output, pads, mode, value }) {
    const channels4 = Math.ceil(channels / 4);
    const pixels = images * output[0] * output[1];
    return {
      overrides: { MODE: MODES[mode] },
      params: {
        channels: channels4,
        out_pixels: pixels,
        height: input[0],
        width: input[1],
        out_height: output[0],
        out_width: output[1],
        pad_top: pads[0],
        pad_left: pads[1],
        value,
        real_channels: channels,
      },
      workgroups: pixelGrid(channels4, pixels),
    };
  },
});
