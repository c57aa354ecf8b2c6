import { roundUp } from "../wgsl/grid.ts";

/**
 * Packs convolution weights for the GPU.
 *
 * @param weights `[O, C / G, KH, KW]`, ONNX order.
 * @param shape Those four sizes.
 * @param inputStride Input channels per tap in the packed order: `C / G`
 * rounded up to a multiple of 4 for the tiled kernels, `C / G` for grouped ones.
 * @returns `[KH, KW, inputStride, 4 · ceil(O / 4)]` with zeros as padding.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { packConvWeights } from "@patchcore/webgpu/nn";
 *
 * // One filter over two channels, 1 × 1: four input channels by four outputs.
 * const packed = packConvWeights(new Float32Array([5, 7]), [1, 2, 1, 1]);
 * assertEquals([...packed.subarray(0, 8)], [5, 0, 0, 0, 7, 0, 0, 0]);
 * ```
 */
export function packConvWeights(
  weights: Float32Array,
  shape: readonly number[],
  inputStride: number = roundUp(shape[1], 4),
): Float32Array<ArrayBuffer> {
  const [outputs, inputs, kernelHeight, kernelWidth] = shape;
  const stride = roundUp(outputs, 4);
  const taps = kernelHeight * kernelWidth;
  const packed = new Float32Array(packedSize(shape, inputStride));
  for (let o = 0, from = 0; o < outputs; o++) {
    for (let c = 0; c < inputs; c++) {
      for (let tap = 0; tap < taps; tap++, from++) {
        packed[(tap * inputStride + c) * stride + o] = weights[from];
      }
    }
  }
  return packed;
}

/**
 * Elements of what {@linkcode packConvWeights} returns.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { packedSize } from "@patchcore/webgpu/nn";
 *
 * assertEquals(packedSize([5, 3, 3, 3]), 3 * 3 * 4 * 8);
 * ```
 */
export function packedSize(
  [outputs, inputs, kernelHeight, kernelWidth]: readonly number[],
  inputStride: number = roundUp(inputs, 4),
): number {
  return kernelHeight * kernelWidth * inputStride * roundUp(outputs, 4);
}

/**
 * A vector padded with zeros to a multiple of 4, `length` elements of it given.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { packVector } from "@patchcore/webgpu/nn";
 *
 * const vector = new Float32Array([1, 2, 3]);
 * assertEquals(packVector(vector, 3), new Float32Array([1, 2, 3, 0]));
 * ```
 */
export function packVector(
  vector: Float32Array | undefined,
  length: number,
): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(roundUp(length, 4));
  if (vector !== undefined) packed.set(vector);
  return packed;
}

/**
 * The bits of the nearest float16 numbers.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { toHalf } from "@patchcore/webgpu/nn";
 *
 * assertEquals([...toHalf(new Float32Array([1, -2]))], [0x3c00, 0xc000]);
 * ```
 */
export function toHalf(
  data: Float32Array,
): Uint16Array<ArrayBuffer> {
  return new Uint16Array(new Float16Array(data).buffer);
}

/**
 * `[N, C, H, W]` → `[N, H, W, 4 · ceil(C / 4)]`, padding channels zero.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { toNhwc } from "@patchcore/webgpu/nn";
 *
 * // Two channels of two pixels: pixels first, channels padded to four.
 * const nhwc = toNhwc(new Float32Array([1, 2, 3, 4]), [1, 2, 1, 2]);
 * assertEquals([...nhwc], [1, 3, 0, 0, 2, 4, 0, 0]);
 * ```
 */
export function toNhwc(
  data: Float32Array,
  [images, channels, height, width]: readonly number[],
): Float32Array<ArrayBuffer> {
  const stride = roundUp(channels, 4);
  const pixels = height * width;
  const result = new Float32Array(images * pixels * stride);
  for (let n = 0, from = 0; n < images; n++) {
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < pixels; p++, from++) {
        result[(n * pixels + p) * stride + c] = data[from];
      }
    }
  }
  return result;
}

/**
 * `[N, H, W, 4 · ceil(C / 4)]` → `[N, C, H, W]`; the shape given is NCHW.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { toNchw, toNhwc } from "@patchcore/webgpu/nn";
 *
 * const shape = [1, 2, 1, 2];
 * const data = new Float32Array([1, 2, 3, 4]);
 * assertEquals(toNchw(toNhwc(data, shape), shape), data);
 * ```
 */
export function toNchw(
  data: Float32Array,
  [images, channels, height, width]: readonly number[],
): Float32Array<ArrayBuffer> {
  const stride = roundUp(channels, 4);
  const pixels = height * width;
  const result = new Float32Array(images * pixels * channels);
  for (let n = 0, to = 0; n < images; n++) {
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < pixels; p++, to++) {
        result[to] = data[(n * pixels + p) * stride + c];
      }
    }
  }
  return result;
}
