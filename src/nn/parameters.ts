/**
 * Operator parameters that ONNX gives as an attribute in old operator sets
 * and as a constant input in new ones, resolved to plain numbers.
 *
 * @module
 */
import {
  numberAttribute,
  numbersAttribute,
  stringAttribute,
} from "./attributes.ts";
import type { GraphNode, HostTensor } from "./graph.ts";
import { elementCount, numbersOf } from "./host_tensor.ts";
import { nodeError } from "./onnx/errors.ts";

/** Tensors whose elements are known before the network runs. */
export type KnownValues = ReadonlyMap<string, HostTensor>;

/** Padding of every axis. */
export interface Padding {
  /** What the new elements hold: `constant`, `reflect`, `edge` or `wrap`. */
  readonly mode: string;
  /** Elements added before each axis; negative crops. */
  readonly begin: readonly number[];
  /** Elements added after each axis; negative crops. */
  readonly end: readonly number[];
  /** The constant. */
  readonly value: number;
}

/** A strided part of a tensor, for every axis. */
export interface SliceRange {
  /** First index taken. */
  readonly starts: readonly number[];
  /** Distance between indices; may be negative. */
  readonly steps: readonly number[];
  /** Number of indices: the shape of the result. */
  readonly counts: readonly number[];
}

/**
 * Elements of the input at `index`, or `undefined` when it is omitted.
 *
 * @throws {OnnxError} When they are not known before the network runs.
 */
export function knownInput(
  node: GraphNode,
  index: number,
  values: KnownValues,
): number[] | undefined {
  const name = node.inputs[index];
  if (!name) return undefined;
  const tensor = values.get(name);
  if (tensor) return numbersOf(tensor);
  throw nodeError(
    node,
    `its input "${name}" is computed from the image, a constant was expected`,
    "unsupported_operator",
    "run the model through onnx-simplifier or tap an earlier layer",
  );
}

/** Axis counted from the front. */
export function resolveAxis(
  node: GraphNode,
  axis: number,
  rank: number,
): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(resolved) && resolved >= 0 && resolved < rank) {
    return resolved;
  }
  throw nodeError(node, `axis ${axis} is outside of ${rank} dimensions`);
}

/** Axes of Squeeze, Unsqueeze or ReduceMean: the attribute, else the second input. */
export function resolveAxes(
  node: GraphNode,
  rank: number,
  values: KnownValues,
): number[] | undefined {
  const axes = numbersAttribute(node, "axes") ?? knownInput(node, 1, values);
  return axes?.map((axis) => resolveAxis(node, axis, rank));
}

/** Bounds of Clip, infinite where it has none. */
export function resolveClip(
  node: GraphNode,
  values: KnownValues,
): { min: number; max: number } {
  const [min] = knownInput(node, 1, values) ?? [];
  const [max] = knownInput(node, 2, values) ?? [];
  return {
    min: min ?? numberAttribute(node, "min", -Infinity),
    max: max ?? numberAttribute(node, "max", Infinity),
  };
}

/** Padding of Pad. */
export function resolvePadding(
  node: GraphNode,
  rank: number,
  values: KnownValues,
): Padding {
  const mode = stringAttribute(node, "mode", "constant");
  if (!["constant", "reflect", "edge", "wrap"].includes(mode)) {
    throw nodeError(node, `mode "${mode}" is unknown`);
  }
  const pads = numbersAttribute(node, "pads") ?? knownInput(node, 1, values);
  const axes = knownInput(node, 3, values)
    ?.map((axis) => resolveAxis(node, axis, rank)) ??
    Array.from({ length: rank }, (_, axis) => axis);
  if (pads?.length !== 2 * axes.length) {
    throw nodeError(
      node,
      `pads are [${pads ?? ""}], expected ${2 * axes.length} numbers`,
    );
  }
  const begin: number[] = new Array(rank).fill(0);
  const end: number[] = new Array(rank).fill(0);
  axes.forEach((axis, i) => {
    begin[axis] = pads[i]!;
    end[axis] = pads[i + axes.length]!;
  });
  const value = knownInput(node, 2, values)?.[0] ??
    numberAttribute(node, "value", 0);
  return { mode, begin, end, value };
}

/** Range of Slice over a tensor of the given shape. */
export function resolveSlice(
  node: GraphNode,
  shape: readonly number[],
  values: KnownValues,
): SliceRange {
  const from = numbersAttribute(node, "starts") ?? knownInput(node, 1, values);
  const to = numbersAttribute(node, "ends") ?? knownInput(node, 2, values);
  if (!from || !to || from.length !== to.length || from.some(Number.isNaN)) {
    throw nodeError(node, "starts and ends must be lists of equal length");
  }
  const axes = numbersAttribute(node, "axes") ?? knownInput(node, 3, values) ??
    from.map((_, i) => i);
  const by = knownInput(node, 4, values) ?? from.map(() => 1);
  const starts = shape.map(() => 0);
  const steps = shape.map(() => 1);
  const counts = [...shape];
  axes.forEach((given, i) => {
    const axis = resolveAxis(node, given, shape.length);
    const extent = shape[axis]!;
    const step = by[i] ?? 1;
    if (step === 0) throw nodeError(node, "its step is 0");
    const low = step > 0 ? 0 : -1;
    const high = step > 0 ? extent : extent - 1;
    const clamp = (index: number, floor: number): number =>
      Math.min(Math.max(index < 0 ? index + extent : index, floor), high);
    const start = clamp(from[i]!, step > 0 ? low : 0);
    const stop = clamp(to[i]!, low);
    starts[axis] = start;
    steps[axis] = step;
    counts[axis] = Math.max(Math.ceil((stop - start) / step), 0);
  });
  return { starts, steps, counts };
}

/** Shape that Reshape gives a tensor of the given shape. */
export function resolveReshape(
  node: GraphNode,
  shape: readonly number[],
  values: KnownValues,
): number[] {
  const target = numbersAttribute(node, "shape") ?? knownInput(node, 1, values);
  if (!target) throw nodeError(node, "it has no target shape");
  const keepsZero = numberAttribute(node, "allowzero", 0) !== 0;
  const result = target.map((extent, i) =>
    extent === 0 && !keepsZero ? shape[i] ?? 0 : extent
  );
  const count = elementCount(shape);
  const free = result.indexOf(-1);
  if (free >= 0) {
    const rest = elementCount(result.filter((_, i) => i !== free));
    result[free] = rest === 0 ? 0 : count / rest;
  }
  const fits = result.every((extent) =>
    Number.isInteger(extent) && extent >= 0
  );
  if (!fits || elementCount(result) !== count) {
    throw nodeError(
      node,
      `cannot reshape [${shape}] to [${target}]`,
      "shape",
      "the model may be fixed to one image size, use that size",
    );
  }
  return result;
}

/** Extents of Split's results along its axis: given, or as equal as they can be. */
export function resolveSplit(
  node: GraphNode,
  extent: number,
  values: KnownValues,
): readonly number[] {
  const given = numbersAttribute(node, "split") ?? knownInput(node, 1, values);
  const parts = given?.length ?? node.outputs.length;
  const size = Math.ceil(extent / parts);
  const sizes = given ??
    node.outputs.map((_, i) => Math.min(size, extent - i * size));
  const fits = parts === node.outputs.length &&
    sizes.every((part) => Number.isInteger(part) && part >= 0) &&
    sizes.reduce((a, b) => a + b, 0) === extent;
  if (fits) return sizes;
  throw nodeError(
    node,
    `it splits ${extent} elements into [${sizes}] for ${node.outputs.length} results`,
    "shape",
  );
}

/** Order of axes of Transpose. */
export function resolvePermutation(node: GraphNode, rank: number): number[] {
  const order = numbersAttribute(node, "perm") ??
    Array.from({ length: rank }, (_, i) => rank - 1 - i);
  if (
    order.toSorted((a, b) => a - b).some((axis, i) => axis !== i) ||
    order.length !== rank
  ) {
    throw nodeError(node, `perm [${order}] is no order of ${rank} axes`);
  }
  return [...order];
}

/**
 * Rows and their length for Softmax: since operator set 13 it normalises along
 * one axis, before along all axes from the given one on.
 *
 * @returns Elements of the axis lie `inner` apart; `outer · inner` sums are taken.
 */
export function resolveSoftmax(
  node: GraphNode,
  shape: readonly number[],
  opset: number,
): { outer: number; count: number; inner: number } {
  const axis = resolveAxis(
    node,
    numberAttribute(node, "axis", opset < 13 ? 1 : -1),
    shape.length,
  );
  const outer = elementCount(shape.slice(0, axis));
  if (opset < 13) {
    return { outer, count: elementCount(shape.slice(axis)), inner: 1 };
  }
  const inner = elementCount(shape.slice(axis + 1));
  return { outer, count: shape[axis]!, inner };
}
