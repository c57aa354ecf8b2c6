import type { BufferPool } from "./buffer_pool.ts";

const READ = 1; // GPUMapMode.READ
/** Milliseconds after which other tasks get their turn. */
const TURN_MS = 100;
const STAGING_USAGE = 0x01 /* MAP_READ */ | 0x08 /* COPY_DST */;

/** A part of a buffer to read. */
export interface ReadRange {
  /** The source buffer. */
  readonly buffer: GPUBuffer;
  /** First byte, a multiple of 4. */
  readonly offset: number;
  /** Number of bytes, a multiple of 4. */
  readonly byteLength: number;
}

/** Commands that fill the staging buffer. */
type Encode = (encoder: GPUCommandEncoder, staging: GPUBuffer) => void;

/** Takes what it needs of the staging buffer while that is mapped. */
type Take = (bytes: ArrayBuffer) => void;

/**
 * Copies GPU buffers to the host through one re-used staging buffer.
 *
 * Deno resolves `mapAsync` no sooner than 11 ms later, yet the mapping itself is
 * done when the call returns. So the range is asked for at once; an
 * implementation that follows the standard throws there, and is awaited.
 * Since nothing is awaited then, timers and signals would wait for the end of a
 * long computation; so they get a turn now and then.
 * The staging buffer is mapped at creation because Deno 2.9 panics on
 * `getMappedRange` of a buffer that never was.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { Gpu } from "@patchcore/webgpu/gpu";
 *
 * using gpu = await Gpu.create();
 * using tensor = gpu.upload(new Float32Array([5, 6]));
 * // Every device has one of its own.
 * const bytes = await gpu.readBuffer(tensor.buffer, 8);
 * assertEquals(new Float32Array(bytes), new Float32Array([5, 6]));
 * ```
 */
export class Readback {
  readonly #device: GPUDevice;
  readonly #pool: BufferPool;
  #staging: GPUBuffer | undefined;
  #busy: Promise<unknown> = Promise.resolve();
  #turnAt = performance.now();

  /** Reads from one device. */
  constructor(device: GPUDevice, pool: BufferPool) {
    this.#device = device;
    this.#pool = pool;
  }

  /** Reads all ranges with one submit and one mapping. */
  async read(ranges: readonly ReadRange[]): Promise<ArrayBuffer[]> {
    const total = ranges.reduce((sum, range) => sum + range.byteLength, 0);
    if (total === 0) return ranges.map(() => new ArrayBuffer(0));
    let end = 0;
    const results: ArrayBuffer[] = [];
    await this.#fetch(total, (encoder, staging) => {
      for (const { buffer, offset, byteLength } of ranges) {
        encoder.copyBufferToBuffer(buffer, offset, staging, end, byteLength);
        end += byteLength;
      }
    }, (bytes) => {
      end = 0;
      for (const { byteLength } of ranges) {
        results.push(bytes.slice(end, end += byteLength));
      }
    });
    return results;
  }

  /** Waits until the GPU has done all that was submitted. */
  async wait(): Promise<void> {
    await this.#fetch(4, (encoder, staging) => {
      encoder.clearBuffer(staging, 0, 4);
    }, () => {});
  }

  #fetch(total: number, encode: Encode, take: Take): Promise<void> {
    const result = this.#busy.then(() => this.#map(total, encode, take));
    this.#busy = result.catch(() => {});
    return result;
  }

  async #map(total: number, encode: Encode, take: Take): Promise<void> {
    if (performance.now() - this.#turnAt > TURN_MS) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#turnAt = performance.now();
    }
    const staging = this.#stagingFor(total);
    const encoder = this.#device.createCommandEncoder({ label: "readback" });
    encode(encoder, staging);
    this.#device.queue.submit([encoder.finish()]);
    const mapped = staging.mapAsync(READ, 0, total);
    let bytes: ArrayBuffer;
    try {
      bytes = staging.getMappedRange(0, total);
      mapped.catch(() => {});
    } catch {
      await mapped;
      bytes = staging.getMappedRange(0, total);
    }
    take(bytes);
    staging.unmap();
  }

  #stagingFor(byteLength: number): GPUBuffer {
    if (this.#staging !== undefined && this.#staging.size >= byteLength) {
      return this.#staging;
    }
    this.dispose();
    const size = readbackBytes(byteLength);
    const limit = this.#device.limits.maxBufferSize;
    const staging = this.#device.createBuffer({
      label: "readback staging",
      size: byteLength > limit ? byteLength : Math.min(size, limit),
      usage: STAGING_USAGE,
      mappedAtCreation: true,
    });
    staging.unmap();
    this.#pool.track(staging.size);
    this.#staging = staging;
    return staging;
  }

  /** Destroys the staging buffer. */
  dispose(): void {
    if (this.#staging === undefined) return;
    this.#pool.track(-this.#staging.size);
    this.#staging.destroy();
    this.#staging = undefined;
  }
}

/** Bytes of the staging buffer through which so many bytes are read. */
export function readbackBytes(byteLength: number): number {
  return Math.max(65_536, 2 ** Math.ceil(Math.log2(byteLength)));
}
