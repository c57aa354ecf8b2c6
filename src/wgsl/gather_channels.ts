import source from "./gather_channels.wgsl" with { type: "text" };
import { pixelGrid, roundUp } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";

/** Sizes of picking channels. */
export interface GatherChannelsSizes {
  /** Pixels of all images. */
  readonly pixels: number;
  /** Channels of the input, without padding. */
  readonly channels: number;
  /** Channels picked. */
  readonly count: number;
}

/** ONNX Gather on the channel axis, NHWC; picks are whole numbers kept as floats. */
export const gatherChannels: Kernel<GatherChannelsSizes> = defineKernel({
  name: "gather_channels",
  source,
  plan({ pixels, channels, count }) {
    const stride = roundUp(count, 4);
    return {
      params: {
        pixels,
        x_channels: roundUp(channels, 4),
        y_channels: stride,
        count,
      },
      workgroups: pixelGrid(stride, pixels),
    };
  },
});
