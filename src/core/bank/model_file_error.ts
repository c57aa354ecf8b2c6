/**
 * A model file that cannot be read, written or used.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { ModelFileError, readModelFile } from "@patchcore/webgpu/core";
 *
 * assertThrows(() => readModelFile(new Uint8Array(9)), ModelFileError);
 * ```
 */
export class ModelFileError extends Error {
  /** Tells this class of errors from others. */
  override readonly name = "ModelFileError";
}
