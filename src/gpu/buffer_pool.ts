import { GpuError } from "./errors.ts";
import { bytesPerElement, type DType } from "./tensor_data.ts";

const GRANULARITY = 256;
/** Free bytes kept for re-use; beyond it buffers are destroyed at once. */
const MAX_FREE_BYTES = 256 * 2 ** 20;

/** Label of buffers that are kept for re-use. */
export const FREE_LABEL = "free";

const STORAGE_USAGE = 0x80 /* STORAGE */ | 0x04 /* COPY_SRC */ |
  0x08 /* COPY_DST */;

/**
 * Storage buffers by size. The garbage collector does not free GPU memory, so
 * every buffer comes from here and goes back here; the pool counts the bytes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { Gpu } from "@patchcore/webgpu/gpu";
 *
 * using gpu = await Gpu.create();
 * const buffer = gpu.pool.acquire(1024, "scratch");
 * gpu.pool.release(buffer);
 * // The next one of that size is the same buffer.
 * assertEquals(gpu.pool.acquire(1024, "scratch"), buffer);
 * ```
 */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #maxBytes: number;
  readonly #free = new Map<number, GPUBuffer[]>();
  #freeBytes = 0;
  #bytes = 0;
  #peakBytes = 0;

  /**
   * An empty pool.
   *
   * @param maxBytes The largest buffer allowed: the storage binding limit.
   */
  constructor(device: GPUDevice, maxBytes: number) {
    this.#device = device;
    this.#maxBytes = maxBytes;
  }

  /** Bytes allocated on the device now, free ones included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The most bytes that were allocated at one time. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Forgets the peak so far: it starts again at the bytes allocated now. */
  resetPeak(): void {
    this.#peakBytes = this.#bytes;
  }

  /**
   * A storage buffer of at least `byteLength` bytes; its contents are undefined.
   *
   * @throws {GpuError} If the size is above the adapter's binding limit.
   */
  acquire(byteLength: number, label: string): GPUBuffer {
    const size = Math.max(
      GRANULARITY,
      Math.ceil(byteLength / GRANULARITY) * GRANULARITY,
    );
    if (byteLength > this.#maxBytes) {
      throw new GpuError(
        `Cannot allocate "${label}": ${byteLength} bytes are more than the adapter binds at once (${this.#maxBytes})`,
      );
    }
    const reused = this.#free.get(size)?.pop();
    if (reused !== undefined) {
      this.#freeBytes -= size;
      reused.label = label;
      return reused;
    }
    this.track(size);
    return this.#device.createBuffer({
      label,
      size: Math.min(size, this.#maxBytes),
      usage: STORAGE_USAGE,
    });
  }

  /** Takes a buffer back for re-use, or destroys it when enough are free. */
  release(buffer: GPUBuffer): void {
    const size = Math.ceil(buffer.size / GRANULARITY) * GRANULARITY;
    if (this.#freeBytes + size > MAX_FREE_BYTES) {
      this.track(-size);
      buffer.destroy();
      return;
    }
    this.#freeBytes += size;
    buffer.label = FREE_LABEL;
    const list = this.#free.get(size);
    if (list === undefined) this.#free.set(size, [buffer]);
    else list.push(buffer);
  }

  /**
   * An image of vectors of four elements; its contents are undefined.
   *
   * @param size Its texels, `[width, height]`.
   * @throws {GpuError} If it is higher than the adapter's images.
   */
  image(
    size: readonly [number, number],
    dtype: DType,
    label: string,
  ): GPUTexture {
    const highest = this.#device.limits.maxTextureDimension2D;
    if (size[1] > highest) {
      throw new GpuError(
        `Cannot allocate "${label}": an image of ${
          size[1]
        } rows, the adapter has at most ${highest}`,
      );
    }
    this.track(imageBytes(size, dtype));
    return this.#device.createTexture({
      label,
      size: [...size],
      format: dtype === "f16" ? "rg32uint" : "rgba32float",
      usage: 0x08 /* STORAGE_BINDING */ | 0x02, /* COPY_DST */
    });
  }

  /** Destroys an image that the pool made. */
  releaseImage(image: GPUTexture, dtype: DType): void {
    this.track(-imageBytes([image.width, image.height], dtype));
    image.destroy();
  }

  /** Destroys every free buffer. */
  trim(): void {
    for (const [size, list] of this.#free) {
      for (const buffer of list) buffer.destroy();
      this.track(-size * list.length);
    }
    this.#free.clear();
    this.#freeBytes = 0;
  }

  /** Counts bytes allocated (or freed, when negative) outside the pool. */
  track(bytes: number): void {
    this.#bytes += bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
  }
}

function imageBytes(
  [width, height]: readonly [number, number],
  dtype: DType,
): number {
  return width * height * 4 * bytesPerElement(dtype);
}
