/**
 * How one tensor lies in another that it moves the elements of: what
 * Transpose, Reshape, Slice and their like make of a tensor without computing
 * anything.
 *
 * @module
 */
import { rowMajorStrides } from "../strided.ts";

/** Elements `offset + Σ index · strides` of a tensor `[T, C]` in row-major order. */
export interface View {
  /** Extents. */
  readonly shape: readonly number[];
  /** Elements of the tensor from one index to the next, for each axis. */
  readonly strides: readonly number[];
  /** The first element. */
  readonly offset: number;
}

/** A tensor of so many rows and channels itself, in a shape of as many elements. */
export function wholeView(shape: readonly number[]): View {
  return { shape, strides: rowMajorStrides(shape), offset: 0 };
}

/** The view with its axes in another order. */
export function transposedView(
  { shape, strides, offset }: View,
  order: readonly number[],
): View {
  return {
    shape: order.map((axis) => shape[axis]!),
    strides: order.map((axis) => strides[axis]!),
    offset,
  };
}

/** Part of a view: from `start` in steps along an axis. */
export function slicedView(
  { shape, strides, offset }: View,
  axis: number,
  { start, step = 1, count }: {
    readonly start: number;
    readonly step?: number;
    readonly count: number;
  },
): View {
  return {
    shape: shape.with(axis, count),
    strides: strides.with(axis, strides[axis]! * step),
    offset: offset + start * strides[axis]!,
  };
}

/** The view in another shape of as many elements; `undefined` if no strides give it. */
export function reshapedView(
  { shape, strides, offset }: View,
  target: readonly number[],
): View | undefined {
  const axes = shape.flatMap((extent, axis) =>
    extent === 1 ? [] : [{ extent, stride: strides[axis]! }]
  );
  const result: number[] = new Array(target.length).fill(0);
  let to = 0;
  for (let from = 0; from < axes.length;) {
    let [own, wanted] = [axes[from]!.extent, target[to] ?? 0];
    let [ownEnd, wantedEnd] = [from + 1, to + 1];
    while (own !== wanted) {
      if (own < wanted) own *= axes[ownEnd++]?.extent ?? NaN;
      else wanted *= target[wantedEnd++] ?? NaN;
      if (Number.isNaN(own * wanted)) return undefined;
    }
    for (let i = from; i < ownEnd - 1; i++) {
      const next = axes[i + 1]!;
      if (axes[i]!.stride !== next.stride * next.extent) return undefined;
    }
    result[wantedEnd - 1] = axes[ownEnd - 1]!.stride;
    for (let i = wantedEnd - 1; i > to; i--) {
      result[i - 1] = result[i]! * target[i]!;
    }
    [from, to] = [ownEnd, wantedEnd];
  }
  return { shape: target, strides: result, offset };
}

/** Whether two views are of the same elements in the same order. */
export function sameView(a: View, b: View): boolean {
  return a.offset === b.offset && a.shape.join() === b.shape.join() &&
    a.shape.every((extent, axis) =>
      extent === 1 || a.strides[axis] === b.strides[axis]
    );
}

/** The axes that have more than one index, in order. */
export function longAxes({ shape }: View): number[] {
  return shape.flatMap((extent, axis) => extent === 1 ? [] : [axis]);
}
