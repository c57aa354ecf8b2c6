import type { Shape } from "./shape_rules.ts";

/** How a tensor of an ONNX shape lies in memory: `[images, pixels, 4·⌈C/4⌉]`. */
export interface Extent {
  /** Images: the first dimension. */
  readonly images: number;
  /** Channels: the second dimension, without padding. */
  readonly channels: number;
  /** Pixels: the product of the others. */
  readonly pixels: number;
}

/**
 * Memory extent of a shape `[N, C]` or `[N, C, …]`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { extentOf } from "@patchcore/webgpu/nn";
 *
 * assertEquals(extentOf([2, 3, 4, 5]), { images: 2, channels: 3, pixels: 20 });
 * ```
 */
export function extentOf(shape: Shape): Extent {
  const [images = 1, channels = 1, ...rest] = shape;
  return { images, channels, pixels: rest.reduce((a, b) => a * b, 1) };
}

/**
 * Bytes of a float32 tensor of an extent.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { extentBytes, extentOf } from "@patchcore/webgpu/nn";
 *
 * // 3 channels take the room of 4.
 * assertEquals(extentBytes(extentOf([1, 3, 10, 10])), 1600);
 * ```
 */
export function extentBytes({ images, channels, pixels }: Extent): number {
  return images * pixels * Math.ceil(channels / 4) * 16;
}

/**
 * Shape in memory of an ONNX shape: `[N, C, …]` → `[N, …, 4·⌈C/4⌉]`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { memoryShape } from "@patchcore/webgpu/nn";
 *
 * assertEquals(memoryShape([1, 3, 8, 6]), [1, 8, 6, 4]);
 * ```
 */
export function memoryShape(shape: Shape): Shape {
  const [images = 1, channels = 1, ...rest] = shape;
  return [images, ...rest, Math.ceil(channels / 4) * 4];
}
