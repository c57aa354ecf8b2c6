/**
 * ONNX Resize of constants, such as a transformer's table of positions: cubic or
 * linear, one axis after the other.
 *
 * @module
 */
import {
  numberAttribute,
  numbersAttribute,
  stringAttribute,
} from "./attributes.ts";
import type { FloatTensor, GraphNode, HostTensor } from "./graph.ts";
import { elementCount, floatTensor } from "./host_tensor.ts";
import { nodeError } from "./onnx/errors.ts";
import { knownInput, type KnownValues, resolveAxis } from "./parameters.ts";
import { elementsOf } from "./strided.ts";

/** What becomes of each axis. */
export interface ResizePlan {
  /** Extents of the result. */
  readonly output: readonly number[];
  /** Size of the result against the input, as it counts for coordinates. */
  readonly scales: readonly number[];
}

/**
 * Extents and scales: given as sizes, or as scales whose fractions of a pixel
 * count, too.
 *
 * @throws {OnnxError} If they are missing, or of other axes than the tensor has.
 */
export function resolveResize(
  node: GraphNode,
  shape: readonly number[],
  values: KnownValues,
): ResizePlan {
  const listed = (index: number): number[] | undefined => {
    const list = knownInput(node, index, values);
    return list?.length ? list : undefined;
  };
  const sizes = listed(3);
  const scales = listed(2);
  const given = sizes ?? scales;
  const axes = numbersAttribute(node, "axes")
    ?.map((axis) => resolveAxis(node, axis, shape.length)) ??
    shape.map((_, axis) => axis);
  const policy = stringAttribute(
    node,
    "keep_aspect_ratio_policy",
    "stretch",
  );
  if (given?.length !== axes.length || policy !== "stretch") {
    throw nodeError(
      node,
      `it resizes [${shape}] by [${
        given ?? ""
      }], expected one number for each axis`,
      "unsupported_operator",
    );
  }
  const output = [...shape];
  const factors = shape.map(() => 1);
  axes.forEach((axis, i) => {
    factors[axis] = sizes ? given[i]! / shape[axis]! : given[i]!;
    output[axis] = sizes ? given[i]! : Math.floor(shape[axis]! * given[i]!);
  });
  return { output, scales: factors };
}

/**
 * The tensor resized.
 *
 * @throws {OnnxError} For modes other than cubic and linear by half pixels.
 */
export function resized(
  node: GraphNode,
  tensor: HostTensor,
  { output, scales }: ResizePlan,
): FloatTensor {
  const kernel = kernelOf(node);
  let data: ArrayLike<number> = elementsOf(tensor);
  const shape = [...tensor.shape];
  for (const [axis, scale] of scales.entries()) {
    if (scale === 1 && output[axis] === shape[axis]) continue;
    const rows = Array.from(
      { length: output[axis]! },
      (_, i) => tapsOf(i, shape[axis]!, scale, kernel),
    );
    data = alongAxis(data, shape, axis, rows);
    shape[axis] = output[axis]!;
  }
  return floatTensor(shape, data);
}

/** A filter: its weight at a distance, and how far it reaches. */
interface FilterKernel {
  readonly weight: (distance: number) => number;
  readonly reach: number;
  /** Whether it widens where the result is smaller. */
  readonly antialias: boolean;
  /** Whether what lies outside counts nothing, instead of as the edge. */
  readonly excludes: boolean;
}

function kernelOf(node: GraphNode): FilterKernel {
  const mode = stringAttribute(node, "mode", "nearest");
  const place = stringAttribute(
    node,
    "coordinate_transformation_mode",
    "half_pixel",
  );
  if (
    !["cubic", "linear"].includes(mode) ||
    !["half_pixel", "pytorch_half_pixel"].includes(place)
  ) {
    throw nodeError(
      node,
      `it resizes by mode "${mode}" and coordinates "${place}", only cubic and linear by half pixels are supported`,
      "unsupported_operator",
    );
  }
  const a = numberAttribute(node, "cubic_coeff_a", -0.75);
  return {
    weight: mode === "cubic"
      ? (distance) => cubic(distance, a)
      : (distance) => Math.max(0, 1 - Math.abs(distance)),
    reach: mode === "cubic" ? 2 : 1,
    antialias: numberAttribute(node, "antialias", 0) !== 0,
    excludes: numberAttribute(node, "exclude_outside", 0) !== 0,
  };
}

function cubic(distance: number, a: number): number {
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/** Indices and weights that make one element of the result. */
interface Taps {
  readonly indices: readonly number[];
  readonly weights: readonly number[];
}

function tapsOf(
  index: number,
  extent: number,
  scale: number,
  { weight, reach, antialias, excludes }: FilterKernel,
): Taps {
  const centre = (index + 0.5) / scale - 0.5;
  const narrow = antialias ? Math.min(scale, 1) : 1;
  const first = Math.ceil(centre - reach / narrow);
  const last = Math.floor(centre + reach / narrow);
  const indices: number[] = [];
  const weights: number[] = [];
  for (let i = first; i <= last; i++) {
    if (excludes && (i < 0 || i >= extent)) continue;
    indices.push(Math.min(Math.max(i, 0), extent - 1));
    weights.push(weight((i - centre) * narrow));
  }
  const total = weights.reduce((sum, w) => sum + w, 0);
  return { indices, weights: weights.map((w) => w / total) };
}

function alongAxis(
  data: ArrayLike<number>,
  shape: readonly number[],
  axis: number,
  rows: readonly Taps[],
): Float64Array {
  const extent = shape[axis]!;
  const inner = elementCount(shape.slice(axis + 1));
  const outer = elementCount(shape.slice(0, axis));
  const result = new Float64Array(outer * rows.length * inner);
  for (let o = 0; o < outer; o++) {
    rows.forEach(({ indices, weights }, row) => {
      const to = (o * rows.length + row) * inner;
      indices.forEach((index, k) => {
        const from = (o * extent + index) * inner;
        for (let i = 0; i < inner; i++) {
          result[to + i]! += weights[k]! * data[from + i]!;
        }
      });
    });
  }
  return result;
}
