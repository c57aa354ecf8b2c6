/**
 * Reading host tensors in another order: broadcasts, slices, transpositions.
 *
 * @module
 */
import type { HostTensor } from "./graph.ts";
import { elementCount, makeTensor, numbersOf } from "./host_tensor.ts";

/** A tensor's elements as numbers, without a copy where they are. */
export function elementsOf(tensor: HostTensor): ArrayLike<number> {
  return tensor.dtype === "int64" ? numbersOf(tensor) : tensor.data;
}

/** Elements `offset + Σ index · strides` of a tensor, for every index of `shape`. */
export function strided(
  tensor: HostTensor,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): HostTensor {
  const source = elementsOf(tensor);
  const count = elementCount(shape);
  const result = new Float64Array(count);
  const index = shape.map(() => 0);
  let at = offset;
  for (let i = 0; i < count; i++) {
    result[i] = source[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return makeTensor(tensor.dtype, shape, result);
}

/** Distance of neighbours along each axis of a row-major tensor. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides: number[] = new Array(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  }
  return strides;
}

/** The tensor repeated along axes of extent 1 until it has the given shape. */
export function broadcast(
  tensor: HostTensor,
  shape: readonly number[],
): HostTensor {
  const missing = shape.length - tensor.shape.length;
  const own = rowMajorStrides(tensor.shape);
  const strides = shape.map((_, axis) =>
    (tensor.shape[axis - missing] ?? 1) === 1 ? 0 : own[axis - missing]!
  );
  return strided(tensor, shape, strides);
}
