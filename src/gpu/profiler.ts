import type { GpuContext } from "./context.ts";
import { type BoundDispatch, encodePass } from "./pass.ts";

/** GPU time of all dispatches of one kernel in one role. */
export interface KernelTime {
  /** Kernel name and role. */
  readonly label: string;
  /** Number of dispatches. */
  readonly count: number;
  /** Sum of their GPU time in milliseconds. */
  readonly ms: number;
}

const MAX_QUERIES = 4096;

interface Pending {
  readonly labels: readonly string[];
  readonly resolved: GPUBuffer;
  readonly queries: GPUQuerySet;
}

/**
 * Sums GPU time per kernel with timestamp queries, one pass per dispatch.
 *
 * @example
 * ```ts
 * import { Profiler } from "@patchcore/webgpu/gpu";
 * import { Gpu } from "@patchcore/webgpu/gpu";
 * import { concat } from "@patchcore/webgpu/wgsl";
 *
 * using gpu = await Gpu.create();
 * using x = gpu.upload(new Float32Array([1, 2, 3, 4]), [1, 4]);
 * using y = gpu.tensor([1, 4]);
 * const sizes = { pixels: 1, count: 4, offset: 0, total: 4 };
 * using program = gpu.program("copy").dispatch(concat, sizes, { x, y });
 * await program.compile();
 * if (gpu.device.features.has("timestamp-query")) {
 *   gpu.profiler = new Profiler(gpu);
 *   program.run();
 *   for (const { label, ms } of await gpu.profiler.report()) {
 *     console.log(label, ms);
 *   }
 * }
 * ```
 */
export class Profiler {
  readonly #gpu: GpuContext;
  readonly #pending: Pending[] = [];
  readonly #totals = new Map<string, { count: number; ms: number }>();

  /**
   * A profiler without times so far.
   *
   * @param gpu A device with the feature `timestamp-query`.
   * @throws {TypeError} If the adapter has no timestamp queries.
   */
  constructor(gpu: GpuContext) {
    if (!gpu.device.features.has("timestamp-query")) {
      throw new TypeError(
        `Cannot profile on "${gpu.adapterName}": the adapter has no timestamp queries`,
      );
    }
    this.#gpu = gpu;
  }

  /** Encodes dispatches, each in a pass of its own between two timestamps. */
  encode(
    encoder: GPUCommandEncoder,
    dispatches: readonly BoundDispatch[],
  ): void {
    for (let i = 0; i < dispatches.length; i += MAX_QUERIES / 2) {
      this.#encode(encoder, dispatches.slice(i, i + MAX_QUERIES / 2));
    }
  }

  #encode(
    encoder: GPUCommandEncoder,
    dispatches: readonly BoundDispatch[],
  ): void {
    const count = dispatches.length * 2;
    const queries = this.#gpu.device.createQuerySet({
      type: "timestamp",
      count,
    });
    const resolved = this.#gpu.device.createBuffer({
      label: "timestamps",
      size: count * 8,
      usage: 0x200 /* QUERY_RESOLVE */ | 0x04, /* COPY_SRC */
    });
    dispatches.forEach((dispatch, i) => {
      encodePass(encoder, [dispatch], {
        querySet: queries,
        beginningOfPassWriteIndex: 2 * i,
        endOfPassWriteIndex: 2 * i + 1,
      });
    });
    encoder.resolveQuerySet(queries, 0, count, resolved, 0);
    const labels = dispatches.map(({ label }) => label);
    this.#pending.push({ labels, resolved, queries });
  }

  /** Waits for the GPU and returns the totals so far, longest first. */
  async report(): Promise<KernelTime[]> {
    const pending = this.#pending.splice(0);
    const read = await this.#gpu.readBuffers(
      pending.map(({ resolved }) => ({
        buffer: resolved,
        offset: 0,
        byteLength: resolved.size,
      })),
    );
    for (const [of, { labels, resolved, queries }] of pending.entries()) {
      const times = new BigUint64Array(read[of]!);
      labels.forEach((label, i) => {
        const total = this.#totals.get(label) ?? { count: 0, ms: 0 };
        total.count++;
        total.ms += Number(times[2 * i + 1] - times[2 * i]) / 1e6;
        this.#totals.set(label, total);
      });
      resolved.destroy();
      queries.destroy();
    }
    return [...this.#totals].map(([label, total]) => ({ label, ...total }))
      .sort((a, b) => b.ms - a.ms);
  }
}
