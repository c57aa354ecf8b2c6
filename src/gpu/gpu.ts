import { variantFor, type Variants } from "../wgsl/variants.ts";
import { BufferPool } from "./buffer_pool.ts";
import type { GpuContext } from "./context.ts";
import { GpuError, GpuLostError } from "./errors.ts";
import { writeImage } from "./image.ts";
import { requestDevice } from "./limits.ts";
import { PipelineCache } from "./pipeline_cache.ts";
import type { Profiler } from "./profiler.ts";
import { encodePass } from "./pass.ts";
import { Program } from "./program.ts";
import { Readback, type ReadRange } from "./readback.ts";
import type { StageClock } from "./stage_clock.ts";
import { elementCount, type Storage, Tensor } from "./tensor.ts";
import {
  type DType,
  dtypeOf,
  type TensorData,
  typedArray,
} from "./tensor_data.ts";

/** Which adapter is asked for. */
export interface GpuOptions {
  /** Which adapter to prefer on a machine with several. */
  readonly powerPreference?: GPUPowerPreference;
}

/** Software adapters by name, for runtimes that do not tell. */
const CPU_ADAPTER = /llvmpipe|lavapipe|swiftshader|basic render driver/i;

/** Which elements {@linkcode Gpu.copy} copies; all of the source by default. */
export interface CopyRange {
  /** First element of the source. */
  readonly fromOffset?: number;
  /** First element of the target. */
  readonly toOffset?: number;
  /** Number of elements. */
  readonly count?: number;
}

/**
 * A WebGPU device with what kernels need around it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { Gpu } from "@patchcore/webgpu/gpu";
 *
 * using gpu = await Gpu.create();
 * using ones = gpu.upload(new Float32Array([1, 1]));
 * using copy = gpu.tensor([2]);
 * gpu.copy(ones, copy);
 * assertEquals(await gpu.readFloats(copy), new Float32Array([1, 1]));
 * ```
 */
export class Gpu implements Disposable, GpuContext {
  /** The device itself. */
  readonly device: GPUDevice;
  /** Name of the adapter, as it describes itself. */
  readonly adapterName: string;
  /** What the adapter says of itself. */
  readonly adapterInfo: GPUAdapterInfo;
  /** Where tensors come from. */
  readonly pool: BufferPool;
  /** Whether nothing is computed and nothing kept; see `dryGpu`. */
  readonly isDry: boolean;
  /** Compiled kernels. */
  readonly pipelines: PipelineCache;
  /** Set to time every kernel from now on. */
  profiler: Profiler | undefined;
  readonly #readback: Readback;
  readonly #errors: string[] = [];
  #lost: string | undefined;

  /** Wraps a device that was requested elsewhere; see {@linkcode Gpu.create}. */
  constructor(device: GPUDevice, info: GPUAdapterInfo, isDry = false) {
    this.device = device;
    this.isDry = isDry;
    this.adapterInfo = info;
    this.adapterName = info.description || info.device ||
      [info.vendor, info.architecture].filter(Boolean).join(" ") ||
      "unnamed adapter";
    this.pool = new BufferPool(device, this.maxTensorBytes);
    this.pipelines = new PipelineCache(device);
    this.#readback = new Readback(device, this.pool);
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#errors.push((event as GPUUncapturedErrorEvent).error.message);
    });
    device.lost.then(({ reason, message }) => {
      this.#lost = `${message || "no reason given"} (${reason})`;
    });
  }

  /**
   * Requests an adapter and a device with all the limits it offers.
   *
   * @throws {GpuError} If there is no WebGPU or no adapter, saying what to do.
   */
  static async create(options: GpuOptions = {}): Promise<Gpu> {
    const gpu = globalThis.navigator?.gpu;
    if (gpu === undefined) {
      throw new GpuError(
        'Cannot start WebGPU: this runtime has no navigator.gpu; use Deno 2.9 or later, a browser with WebGPU, or Node.js 24 with "webgpu" from npm',
      );
    }
    const adapter = await gpu.requestAdapter(options);
    if (adapter === null) {
      throw new GpuError(
        "Cannot start WebGPU: no adapter was found; install a Vulkan, Metal or Direct3D 12 driver (Debian and Ubuntu without a GPU: apt-get install mesa-vulkan-drivers)",
      );
    }
    const device = await requestDevice(adapter);
    return new Gpu(device, adapter.info);
  }

  /** Lanes of a subgroup, or 0 where it varies or subgroups are missing. */
  get subgroupSize(): number {
    const { subgroupMinSize, subgroupMaxSize } = this.adapterInfo;
    const fixed = subgroupMinSize === subgroupMaxSize ? subgroupMinSize : 0;
    return this.device.features.has("subgroups") ? fixed ?? 0 : 0;
  }

  /** Whether a CPU does the work, as far as the adapter says so. */
  get isCpu(): boolean {
    return this.adapterInfo.isFallbackAdapter ??
      CPU_ADAPTER.test(this.adapterName);
  }

  /** The form of something that suits this adapter's subgroups. */
  pick<Form>(variants: Variants<Form>): Form {
    return variantFor(variants, this.subgroupSize);
  }

  /** Bytes of the largest tensor: what one binding and one buffer can hold. */
  get maxTensorBytes(): number {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
    const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    return limit - limit % 4;
  }

  /** The most bytes that were allocated at one time. */
  get peakBytes(): number {
    return this.pool.peakBytes;
  }

  /**
   * A new tensor with undefined contents.
   *
   * @throws {GpuError} If it is larger than {@linkcode Gpu.maxTensorBytes}.
   */
  tensor(
    shape: readonly number[],
    dtype: DType = "f32",
    label = "tensor",
    storage: Storage = "buffer",
  ): Tensor {
    this.check();
    return new Tensor(this.pool, shape, dtype, label, undefined, storage);
  }

  /**
   * A new tensor filled from the host; the element type follows the array's
   * (`Uint16Array` holds the bits of `f16`).
   *
   * @throws {RangeError} If the array's length is not the shape's.
   */
  upload(
    data: TensorData,
    shape: readonly number[] = [data.length],
    label = "tensor",
    storage: Storage = "buffer",
  ): Tensor {
    if (elementCount(shape) !== data.length) {
      throw new RangeError(
        `Cannot upload "${label}": shape [${shape}] has ${
          elementCount(shape)
        } elements, data has ${data.length}`,
      );
    }
    const tensor = this.tensor(shape, dtypeOf(data), label, storage);
    this.write(tensor, data);
    return tensor;
  }

  /**
   * Copies host data into a tensor, from its element `offset` on.
   *
   * @throws {RangeError} If the data does not fit.
   */
  write(tensor: Tensor, data: TensorData, offset = 0): void {
    const start = offset * data.BYTES_PER_ELEMENT;
    if (start + data.byteLength > tensor.byteLength) {
      throw new RangeError(
        `Cannot write ${data.length} elements at ${offset} of tensor "${tensor.label}": it has ${tensor.size}`,
      );
    }
    if (data.length === 0) return; // Deno 2.9 panics on an empty write
    if (tensor.storage === "image") {
      return writeImage(this.device.queue, tensor, data);
    }
    if (data.byteLength % 4 === 0) {
      const { buffer, byteOffset, byteLength } = data;
      this.device.queue.writeBuffer(
        tensor.buffer,
        start,
        buffer as ArrayBuffer,
        byteOffset,
        byteLength,
      );
    } else {
      const padded = new Uint16Array(data.length + 1);
      padded.set(data);
      this.device.queue.writeBuffer(tensor.buffer, start, padded);
    }
  }

  /** Reads a whole tensor; f16 comes back as its bits. */
  async read(tensor: Tensor): Promise<TensorData> {
    return (await this.readAll([tensor]))[0];
  }

  /** Reads a whole `f32` tensor. */
  async readFloats(tensor: Tensor): Promise<Float32Array<ArrayBuffer>> {
    return await this.read(tensor) as Float32Array<ArrayBuffer>;
  }

  /** Reads several tensors with one submit and one mapping. */
  async readAll(tensors: readonly Tensor[]): Promise<TensorData[]> {
    const buffers = await this.readBuffers(
      tensors.map(({ buffer, byteLength }) => ({
        buffer,
        offset: 0,
        byteLength,
      })),
    );
    return buffers.map((bytes, i) => typedArray(bytes, tensors[i]));
  }

  /** Reads the first `byteLength` bytes of a buffer. */
  async readBuffer(
    buffer: GPUBuffer,
    byteLength: number,
  ): Promise<ArrayBuffer> {
    const range = { buffer, offset: 0, byteLength };
    const [bytes] = await this.readBuffers([range]);
    return bytes;
  }

  /** Reads parts of buffers with one submit and one mapping. */
  async readBuffers(ranges: readonly ReadRange[]): Promise<ArrayBuffer[]> {
    this.check();
    return await this.#checked(() => this.#readback.read(ranges));
  }

  async #checked<T>(readBack: () => Promise<T>): Promise<T> {
    try {
      const result = await readBack();
      this.check();
      return result;
    } catch (cause) {
      if (cause instanceof GpuError) throw cause;
      // The loss of the device is told a moment after calls begin to fail.
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.check();
      throw new GpuError("Cannot read results back from the GPU", { cause });
    }
  }

  /** A new, empty program. */
  program(label: string): Program {
    return new Program(this, label);
  }

  /**
   * Submits compiled programs in order, in one command buffer.
   *
   * @param clock Times the programs, each in a compute pass of its own; without
   * it all share one.
   */
  submit(programs: readonly Program[], clock?: StageClock): void {
    this.check();
    const encoder = this.device.createCommandEncoder({
      label: programs[0]?.label ?? "",
    });
    const dispatches = programs.map((program) => program.dispatches);
    if (this.profiler !== undefined) {
      this.profiler.encode(encoder, dispatches.flat());
    } else if (clock === undefined) encodePass(encoder, dispatches.flat());
    else {
      dispatches.forEach((stage, i) =>
        encodePass(encoder, stage, clock.timestampWrites(i))
      );
      clock.resolve(encoder);
    }
    this.device.queue.submit([encoder.finish()]);
  }

  /** Copies `count` elements between tensors of 32-bit elements on the GPU. */
  copy(from: Tensor, to: Tensor, range: CopyRange = {}): void {
    const { fromOffset = 0, toOffset = 0 } = range;
    const count = range.count ?? from.size - fromOffset;
    const encoder = this.device.createCommandEncoder({ label: "copy" });
    encoder.copyBufferToBuffer(
      from.buffer,
      fromOffset * 4,
      to.buffer,
      toOffset * 4,
      count * 4,
    );
    this.device.queue.submit([encoder.finish()]);
  }

  /** Sets every byte of a tensor to zero. */
  clear(tensor: Tensor): void {
    const encoder = this.device.createCommandEncoder({ label: "clear" });
    encoder.clearBuffer(tensor.buffer, 0, tensor.byteLength);
    this.device.queue.submit([encoder.finish()]);
  }

  /** Waits until the GPU has done all that was submitted. */
  async finish(): Promise<void> {
    await this.#checked(async () => {
      await this.#readback.wait();
      // A refused command is told a moment later.
      await new Promise((resolve) => setTimeout(resolve, 0));
    });
  }

  /**
   * Throws what went wrong on the GPU since the last check.
   *
   * @throws {GpuLostError} If the device is gone.
   * @throws {GpuError} If a command was refused.
   */
  check(): void {
    if (this.#lost !== undefined) {
      throw new GpuLostError(
        `The GPU device "${this.adapterName}" was lost: ${this.#lost}; run again, with smaller batches if memory was short`,
      );
    }
    const [first] = this.#errors.splice(0);
    if (first !== undefined) {
      throw new GpuError(`The GPU refused a command: ${first}`);
    }
  }

  /** Destroys the device and everything on it. */
  dispose(): void {
    this.#readback.dispose();
    this.pool.trim();
    this.device.destroy();
  }

  /** Destroys the device where the block of a `using` ends. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
