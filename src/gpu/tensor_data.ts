/** Element types a tensor may have. `f16` needs the feature `shader-f16`. */
export type DType = "f32" | "u32" | "i32" | "f16";

/**
 * Bytes of one element.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { bytesPerElement } from "@patchcore/webgpu/gpu";
 *
 * assertEquals(bytesPerElement("f16"), 2);
 * ```
 */
export function bytesPerElement(dtype: DType): number {
  return dtype === "f16" ? 2 : 4;
}

/** Typed arrays a tensor can be filled from and read into. */
export type TensorData = Float32Array | Uint32Array | Int32Array | Uint16Array;

/** The element type of a typed array; `Uint16Array` holds the bits of `f16`. */
export function dtypeOf(data: TensorData): DType {
  if (data instanceof Float32Array) return "f32";
  if (data instanceof Uint32Array) return "u32";
  return data instanceof Int32Array ? "i32" : "f16";
}

/** A tensor's bytes as a typed array. */
export function typedArray(
  bytes: ArrayBuffer,
  { dtype, size }: { readonly dtype: DType; readonly size: number },
): TensorData {
  switch (dtype) {
    case "f32":
      return new Float32Array(bytes, 0, size);
    case "u32":
      return new Uint32Array(bytes, 0, size);
    case "i32":
      return new Int32Array(bytes, 0, size);
    case "f16":
      return new Uint16Array(bytes, 0, size);
  }
}
