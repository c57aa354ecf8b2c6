import type { TensorData } from "./gpu.ts";
import { imageSize, type Tensor } from "./tensor.ts";

/**
 * Fills an image.
 *
 * @param queue The device's queue.
 * @param tensor A tensor stored as an image.
 * @param data All of its elements.
 * @throws {RangeError} If there are fewer.
 */
export function writeImage(
  queue: GPUQueue,
  tensor: Tensor,
  data: TensorData,
): void {
  if (data.length !== tensor.size) {
    throw new RangeError(
      `Cannot write ${data.length} elements of image "${tensor.label}": all ${tensor.size} are expected`,
    );
  }
  const [width, height] = imageSize(tensor);
  // Whole rows, or all of the image would be cleared first.
  const capacity = width * height * 4;
  let whole = data;
  if (data.length < capacity) {
    whole = data instanceof Uint16Array
      ? new Uint16Array(capacity)
      : new Float32Array(capacity);
    whole.set(data);
  }
  const { buffer, byteOffset, byteLength } = whole;
  queue.writeTexture(
    { texture: tensor.image },
    new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength),
    { bytesPerRow: byteLength / height, rowsPerImage: height },
    [width, height],
  );
}
