import type { GpuContext } from "./context.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Times the programs of one submit with timestamp queries, one compute pass a
 * program; the ticks are read back together with the results.
 *
 * @example
 * ```ts
 * import { StageClock } from "@patchcore/webgpu/gpu";
 * import { Gpu } from "@patchcore/webgpu/gpu";
 * import { concat } from "@patchcore/webgpu/wgsl";
 *
 * using gpu = await Gpu.create();
 * using x = gpu.upload(new Float32Array([1, 2, 3, 4]), [1, 4]);
 * using y = gpu.tensor([1, 4]);
 * const sizes = { pixels: 1, count: 4, offset: 0, total: 4 };
 * using program = gpu.program("copy").dispatch(concat, sizes, { x, y });
 * await program.compile();
 * using clock = StageClock.create(gpu, 1);
 * if (clock !== undefined) gpu.submit([program], clock);
 * await gpu.finish();
 * ```
 */
export class StageClock implements Disposable {
  /** Where the ticks are copied to, two 64-bit words a stage. */
  readonly ticks: Tensor;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #stages: number;

  private constructor(gpu: GpuContext, stages: number) {
    this.#stages = stages;
    this.#queries = gpu.device.createQuerySet({
      type: "timestamp",
      count: 2 * stages,
    });
    this.#resolved = gpu.device.createBuffer({
      label: "stage times",
      size: 16 * stages,
      usage: 0x200 /* QUERY_RESOLVE */ | 0x04, /* COPY_SRC */
    });
    this.ticks = gpu.tensor([4 * stages], "u32", "stage times");
  }

  /** A clock for a number of stages, where the adapter has timestamp queries. */
  static create(gpu: GpuContext, stages: number): StageClock | undefined {
    return gpu.device.features.has("timestamp-query")
      ? new StageClock(gpu, stages)
      : undefined;
  }

  /** Timestamps around the compute pass of one stage. */
  timestampWrites(stage: number): GPUComputePassTimestampWrites {
    return {
      querySet: this.#queries,
      beginningOfPassWriteIndex: 2 * stage,
      endOfPassWriteIndex: 2 * stage + 1,
    };
  }

  /** Encodes the copy of the timestamps to {@linkcode StageClock.ticks}. */
  resolve(encoder: GPUCommandEncoder): void {
    const { size } = this.#resolved;
    encoder.resolveQuerySet(
      this.#queries,
      0,
      2 * this.#stages,
      this.#resolved,
      0,
    );
    encoder.copyBufferToBuffer(this.#resolved, 0, this.ticks.buffer, 0, size);
  }

  /** Milliseconds of each stage, from the ticks as read back. */
  milliseconds(ticks: Uint32Array): number[] {
    const times = new BigUint64Array(ticks.buffer, ticks.byteOffset);
    return Array.from(
      { length: this.#stages },
      (_, i) => Number(times[2 * i + 1] - times[2 * i]) / 1e6,
    );
  }

  /** Frees the queries. */
  dispose(): void {
    this.#queries.destroy();
    this.#resolved.destroy();
    this.ticks.dispose();
  }

  /** Frees the queries where the block of a `using` ends. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
