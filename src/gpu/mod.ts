/**
 * How kernels run: the device and its limits, tensors, programs of dispatches,
 * the profiler.
 *
 * @module
 */
export * from "./buffer_pool.ts";
export type { GpuContext, Submission } from "./context.ts";
export * from "./dry_device.ts";
export * from "./errors.ts";
export * from "./gpu.ts";
export { imageOf } from "./image_copy.ts";
export type { BoundDispatch, ImageCopy } from "./pass.ts";
export * from "./pipeline_cache.ts";
export * from "./profiler.ts";
export * from "./program.ts";
export * from "./readback.ts";
export * from "./row_chunks.ts";
export * from "./stage_clock.ts";
export * from "./tensor.ts";
export { bytesPerElement, type DType, type TensorData } from "./tensor_data.ts";
