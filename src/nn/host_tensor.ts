/**
 * Making and reading host tensors.
 *
 * @module
 */
import type { DataType, FloatTensor, HostTensor } from "./graph.ts";

/** Number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Whether two shapes are equal. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, i) => extent === b[i]);
}

/** A float32 tensor of the given values. */
export function floatTensor(
  shape: readonly number[],
  values: ArrayLike<number>,
): FloatTensor {
  const data = values instanceof Float32Array &&
      values.buffer instanceof ArrayBuffer
    ? values as Float32Array<ArrayBuffer>
    : Float32Array.from(values);
  return { dtype: "float32", shape, data };
}

/** A one-dimensional int64 tensor, as shapes and axes are given. */
export function integerTensor(values: readonly number[]): HostTensor {
  return makeTensor("int64", [values.length], values);
}

/** A tensor of any type from numbers, rounded or wrapped as a cast would. */
export function makeTensor(
  dtype: DataType,
  shape: readonly number[],
  values: ArrayLike<number>,
): HostTensor {
  const truncated = (value: number): number => Math.trunc(value);
  switch (dtype) {
    case "float32":
      return floatTensor(shape, values);
    case "int64": {
      const data = new BigInt64Array(values.length);
      for (let i = 0; i < data.length; i++) {
        data[i] = BigInt(Math.trunc(values[i]!));
      }
      return { dtype, shape, data };
    }
    case "int32":
      return { dtype, shape, data: Int32Array.from(values, truncated) };
    case "int8":
      return { dtype, shape, data: Int8Array.from(values, truncated) };
    case "uint8":
      return { dtype, shape, data: Uint8Array.from(values, truncated) };
    case "bool":
      return {
        dtype,
        shape,
        data: Uint8Array.from(values, (value) => value === 0 ? 0 : 1),
      };
  }
}

/** The elements as numbers; int64 saturates to ±(2^53 − 1). */
export function numbersOf(tensor: HostTensor): number[] {
  const limit = Number.MAX_SAFE_INTEGER;
  if (tensor.dtype !== "int64") return Array.from(tensor.data);
  return Array.from(
    tensor.data,
    (value) => Math.min(Math.max(Number(value), -limit), limit),
  );
}
