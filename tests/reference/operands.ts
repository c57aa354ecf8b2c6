/** What the reference operators are written in: attributes, elements, indices. */
import type { AttributeValue, HostTensor } from "../../src/nn/graph.ts";

/** Attributes of a node. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** An integer attribute. */
export function integer(
  attributes: Attributes,
  name: string,
  fallback: number,
): number {
  return (attributes[name] ?? fallback) as number;
}

/** A list attribute. */
export function integers(
  attributes: Attributes,
  name: string,
  fallback: readonly number[],
): readonly number[] {
  return (attributes[name] ?? fallback) as readonly number[];
}

/** Elements of a float tensor. */
export function floats(x: HostTensor): Float32Array {
  if (x.dtype !== "float32") throw new TypeError(`Expected floats: ${x.dtype}`);
  return x.data;
}

/** Elements of any tensor as numbers. */
export function numbers(x: HostTensor): number[] {
  return Array.from<number | bigint, number>(x.data, Number);
}

/** A float tensor. */
export function tensor(
  shape: readonly number[],
  values: ArrayLike<number>,
): HostTensor {
  return { dtype: "float32", shape, data: Float32Array.from(values) };
}

/** A tensor of another tensor's type. */
export function like(
  x: HostTensor,
  shape: readonly number[],
  values: readonly number[],
): HostTensor {
  switch (x.dtype) {
    case "float32":
      return tensor(shape, values);
    case "int64":
      return {
        dtype: "int64",
        shape,
        data: BigInt64Array.from(values, (v) => BigInt(Math.trunc(v))),
      };
    case "int32":
      return { dtype: "int32", shape, data: Int32Array.from(values) };
    default:
      return { ...x, shape, data: Uint8Array.from(values) } as HostTensor;
  }
}

/** Number of elements. */
export function size(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Index of an element on each axis. */
export function unravel(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(flat % shape[axis]!);
    flat = Math.floor(flat / shape[axis]!);
  }
  return index;
}

/** Flat position of an index; axes of extent 1 repeat, missing ones lead. */
export function ravel(
  index: readonly number[],
  shape: readonly number[],
): number {
  const own = index.slice(index.length - shape.length);
  return shape.reduce(
    (flat, extent, axis) => flat * extent + (extent === 1 ? 0 : own[axis]!),
    0,
  );
}

/** An axis counted from the front. */
export function axisFrom(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
