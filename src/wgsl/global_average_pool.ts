import source from "./global_average_pool.wgsl" with { type: "text" };
import { defineKernel, type Kernel } from "./kernel.ts";

/** Sizes of a mean over all pixels of an image. */
export interface GlobalAveragePoolSizes {
  /** Images. */
  readonly images: number;
  /** Pixels of an image. */
  readonly pixels: number;
  /** Channels divided by 4, rounded up. */
  readonly channels4: number;
}

/** ONNX GlobalAveragePool (and ReduceMean over height and width) on NHWC. */
export const globalAveragePool: Kernel<GlobalAveragePoolSizes, "x" | "y"> =
  defineKernel({
    name: "global_average_pool",
    source,
    plan: ({ images, pixels, channels4 }) => ({
      params: { channels: channels4, pixels },
      workgroups: [Math.ceil(channels4 / 8), images, 1],
    }),
  });
