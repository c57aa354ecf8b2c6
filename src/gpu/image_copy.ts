import type { Gpu } from "./gpu.ts";
import { encodeImageCopy } from "./pass.ts";
import type { Tensor } from "./tensor.ts";

/**
 * An `f32` tensor that kernels have written, as an image.
 *
 * @param tensor Any number of vectors of four elements.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Gpu, imageOf } from "@patchcore/webgpu/gpu";
 *
 * using gpu = await Gpu.create();
 * using tensor = gpu.upload(new Float32Array(8));
 * using image = imageOf(gpu, tensor);
 * assertEquals([image.storage, image.size], ["image", 8]);
 * ```
 */
export function imageOf(gpu: Gpu, tensor: Tensor): Tensor {
  const { shape, dtype, label, buffer, size } = tensor;
  const image = gpu.tensor(shape, dtype, label, "image");
  const encoder = gpu.device.createCommandEncoder({ label: "image" });
  encodeImageCopy(encoder, { buffer, image: image.image, texels: size / 4 });
  gpu.device.queue.submit([encoder.finish()]);
  return image;
}
