import { IMAGE_WIDTH } from "../wgsl/kernel.ts";
import type { TensorData } from "./tensor_data.ts";

/** Texels of the image of a tensor, `[width, height]`. */
export function imageSize(
  { size }: { readonly size: number },
): [number, number] {
  return [IMAGE_WIDTH, Math.max(1, Math.ceil(size / 4 / IMAGE_WIDTH))];
}

/** A tensor as an image, as far as filling it goes. */
interface ImageTensor {
  readonly label: string;
  /** Number of elements. */
  readonly size: number;
  readonly image: GPUTexture;
}

/**
 * Fills an image.
 *
 * @param tensor A tensor stored as an image.
 * @param data All of its elements.
 * @throws {RangeError} If there are fewer.
 */
export function writeImage(
  queue: GPUQueue,
  tensor: ImageTensor,
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
