import type { BufferPool } from "./buffer_pool.ts";
import type { BoundDispatch } from "./pass.ts";
import type { PipelineCache } from "./pipeline_cache.ts";
import type { ReadRange } from "./readback.ts";
import type { Storage, Tensor } from "./tensor.ts";
import type { DType } from "./tensor_data.ts";

/** Dispatches to submit: a compiled `Program`, seen from the device. */
export interface Submission {
  /** What they do, for messages. */
  readonly label: string;
  /** In the order in which they run. */
  readonly dispatches: readonly BoundDispatch[];
}

/**
 * A `Gpu` as its programs, profilers and clocks see it: they are made for one
 * and it knows them, so what both sides need stands here.
 */
export interface GpuContext {
  /** The device itself. */
  readonly device: GPUDevice;
  /** Name of the adapter, for messages. */
  readonly adapterName: string;
  /** Counts the bytes of every buffer. */
  readonly pool: BufferPool;
  /** Compiled kernels. */
  readonly pipelines: PipelineCache;
  /** A new tensor with undefined contents. */
  tensor(
    shape: readonly number[],
    dtype?: DType,
    label?: string,
    storage?: Storage,
  ): Tensor;
  /** Reads parts of buffers with one submit and one mapping. */
  readBuffers(ranges: readonly ReadRange[]): Promise<ArrayBuffer[]>;
  /** Submits dispatches in order, in one command buffer. */
  submit(submissions: readonly Submission[]): void;
}
