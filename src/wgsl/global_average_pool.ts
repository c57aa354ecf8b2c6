import source from "./global_average_pool.wgsl" with { type: "text" };
import type { Kernel } from "./kernel.ts";

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
export const globalAveragePool: Kernel<GlobalAveragePoolSizes, "x" | "y"> = {
  name: "global_average_pool",
  source,
  bindings: { x: "read", y: "read_write" },
  params: { channels: "u32", pixels: "u32" },
  overrides: {},
  plan: ({ images, pixels, channels4 }) => ({
    params: { channels: channels4, pixels },
    workgroups: [Math.ceil(channels4 / 8), images, 1],
  }),
};
