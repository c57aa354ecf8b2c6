import type { Access } from "../wgsl/kernel.ts";
import type { BufferPool } from "./buffer_pool.ts";
import { bytesPerElement, type DType } from "./tensor_data.ts";
import { imageSize } from "./image.ts";

/**
 * Number of elements of a shape.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { elementCount } from "@patchcore/webgpu/gpu";
 *
 * assertEquals(elementCount([2, 3, 4]), 24);
 * ```
 */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Where a tensor's elements are: in a buffer, or in an image that kernels read
 * with bindings such as `image_f32`. Kernels write buffers alone: an image is
 * filled by the host, or copied from a buffer.
 */
export type Storage = "buffer" | "image";

/**
 * Where a kernel reads or writes a binding.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { storageOf } from "@patchcore/webgpu/gpu";
 *
 * assertEquals(storageOf("image_f32"), "image");
 * ```
 */
export function storageOf(access: Access): Storage {
  return access.startsWith("image") ? "image" : "buffer";
}

/**
 * A dense row-major array in GPU memory. Its lifetime is explicit: dispose it,
 * or declare it with `using`; using it afterwards is an error that names it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { Gpu } from "@patchcore/webgpu/gpu";
 *
 * using gpu = await Gpu.create();
 * using tensor = gpu.upload(new Float32Array([1, 2, 3, 4]), [2, 2]);
 * assertEquals(tensor.shape, [2, 2]);
 * assertEquals(await gpu.readFloats(tensor), new Float32Array([1, 2, 3, 4]));
 * ```
 */
export class Tensor implements Disposable {
  /** Size of each dimension. */
  readonly shape: readonly number[];
  /** Element type. */
  readonly dtype: DType;
  /** What the tensor holds, for messages. */
  readonly label: string;
  /** Where the elements are. */
  readonly storage: Storage;
  readonly #pool: BufferPool;
  readonly #base: Tensor | undefined;
  #memory: GPUBuffer | GPUTexture | undefined;

  /** Made by `Gpu.tensor`; not meant to be constructed directly. */
  constructor(
    pool: BufferPool,
    shape: readonly number[],
    dtype: DType,
    label: string,
    base?: Tensor,
    storage: Storage = base?.storage ?? "buffer",
  ) {
    this.#pool = pool;
    this.#base = base;
    this.shape = shape;
    this.dtype = dtype;
    this.label = label;
    this.storage = storage;
    if (base === undefined) {
      this.#memory = storage === "buffer"
        ? pool.acquire(this.byteLength, label)
        : pool.image(imageSize(this), dtype, label);
    } else if (this.byteLength > base.byteLength) {
      throw new RangeError(
        `Cannot see "${base.label}" as [${shape}]: it has ${base.size} elements`,
      );
    }
  }

  /**
   * The first elements of this tensor in another shape. The memory stays this
   * tensor's; disposing the view does nothing.
   *
   * @throws {RangeError} If the shape has more elements than the tensor.
   */
  view(shape: readonly number[], label: string = this.label): Tensor {
    return new Tensor(this.#pool, shape, this.dtype, label, this);
  }

  /** Number of elements. */
  get size(): number {
    return elementCount(this.shape);
  }

  /** Bytes of the elements, rounded up to whole 32-bit words. */
  get byteLength(): number {
    return Math.ceil(this.size * bytesPerElement(this.dtype) / 4) * 4;
  }

  /**
   * The GPU buffer; it may be longer than `byteLength`.
   *
   * @throws {TypeError} If the tensor was disposed or is an image.
   */
  get buffer(): GPUBuffer {
    return this.#memoryOf("buffer") as GPUBuffer;
  }

  /**
   * The image; its last row may be longer than the tensor.
   *
   * @throws {TypeError} If the tensor was disposed or is a buffer.
   */
  get image(): GPUTexture {
    return this.#memoryOf("image") as GPUTexture;
  }

  #memoryOf(storage: Storage): GPUBuffer | GPUTexture {
    if (this.#base !== undefined) return this.#base.#memoryOf(storage);
    const what = `tensor "${this.label}" [${this.shape}]`;
    if (this.#memory === undefined) {
      throw new TypeError(`Cannot use ${what}: it was disposed`);
    }
    if (this.storage === storage) return this.#memory;
    throw new TypeError(
      `Cannot use ${what}: it is ${
        this.storage === "image" ? "an image" : "a buffer"
      }, expected ${storage === "image" ? "an image" : "a buffer"}`,
    );
  }

  /** Gives the memory back. Disposing twice is harmless. */
  dispose(): void {
    const memory = this.#memory;
    if (memory === undefined) return;
    this.#memory = undefined;
    if ("mapAsync" in memory) this.#pool.release(memory);
    else this.#pool.releaseImage(memory, this.dtype);
  }

  /** Gives the memory back where the block of a `using` ends. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
