/**
 * A GPU failure told in one message: what was run, where, and what it said.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { Gpu, GpuError } from "@patchcore/webgpu/gpu";
 *
 * using gpu = await Gpu.create();
 * assertThrows(() => gpu.tensor([2 ** 40]), GpuError);
 * ```
 */
export class GpuError extends Error {
  /** Class name, for logs. */
  override name = "GpuError";
}

/**
 * The device went away; nothing that was on it can be used any more.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { GpuError, GpuLostError } from "@patchcore/webgpu/gpu";
 *
 * assert(new GpuLostError("Lost the device") instanceof GpuError);
 * ```
 */
export class GpuLostError extends GpuError {
  /** Class name, for logs. */
  override name = "GpuLostError";
}
