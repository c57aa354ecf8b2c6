/** Operators that move elements and never change them. */
import type { HostTensor } from "../../src/nn/graph.ts";
import {
  type Attributes,
  axisFrom,
  integer,
  integers,
  like,
  numbers,
  ravel,
  size,
  tensor,
  unravel,
} from "./operands.ts";

type Inputs = readonly (HostTensor | undefined)[];

function listOf(
  input: HostTensor | undefined,
  attributes: Attributes,
  name: string,
): readonly number[] | undefined {
  return input ? numbers(input) : attributes[name] as number[] | undefined;
}

/** Builds a tensor whose element at each index is an element of x, or a constant. */
function pick(
  x: HostTensor,
  shape: readonly number[],
  from: (index: readonly number[]) => readonly number[] | number,
): HostTensor {
  const values = numbers(x);
  return like(
    x,
    shape,
    Array.from({ length: size(shape) }, (_, i) => {
      const source = from(unravel(i, shape));
      return typeof source === "number"
        ? source
        : values[ravel(source, x.shape)]!;
    }),
  );
}

/** Tensors joined along an axis. */
export function Concat(
  inputs: Inputs,
  attributes: Attributes = {},
): HostTensor {
  const first = inputs[0]!;
  const axis = axisFrom(integer(attributes, "axis", 0), first.shape.length);
  const extents = inputs.map((input) => input!.shape[axis]!);
  const shape = [...first.shape];
  shape[axis] = extents.reduce((a, b) => a + b, 0);
  const sources = inputs.map((input) => numbers(input!));
  const y = Array.from({ length: size(shape) }, (_, i) => {
    const index = unravel(i, shape);
    let which = 0;
    while (index[axis]! >= extents[which]!) index[axis]! -= extents[which++]!;
    return sources[which]![ravel(index, inputs[which]!.shape)]!;
  });
  return like(first, shape, y);
}

/** The tensor with a border: constant, reflected, repeated or wrapped around. */
export function Pad(
  [x, padsInput, valueInput, axesInput]: Inputs,
  attributes: Attributes = {},
): HostTensor {
  const rank = x!.shape.length;
  const given = listOf(padsInput, attributes, "pads")!;
  const axes = axesInput
    ? numbers(axesInput).map((axis) => axisFrom(axis, rank))
    : x!.shape.map((_, axis) => axis);
  const before = x!.shape.map((_, axis) =>
    axes.includes(axis) ? given[axes.indexOf(axis)]! : 0
  );
  const after = x!.shape.map((_, axis) =>
    axes.includes(axis) ? given[axes.indexOf(axis) + axes.length]! : 0
  );
  const value = valueInput
    ? numbers(valueInput)[0]!
    : Number(attributes["value"] ?? 0);
  const mode = attributes["mode"] ?? "constant";
  const shape = x!.shape.map((e, axis) => e + before[axis]! + after[axis]!);
  return pick(x!, shape, (index) => {
    const at = index.map((i, axis) => {
      const extent = x!.shape[axis]!;
      const position = i - before[axis]!;
      if (mode === "edge") return Math.min(Math.max(position, 0), extent - 1);
      if (mode === "wrap") return (position % extent + extent) % extent;
      if (mode === "reflect" && position < 0) return -position;
      if (mode === "reflect" && position >= extent) {
        return 2 * (extent - 1) - position;
      }
      return position;
    });
    const inside = at.every((i, axis) => i >= 0 && i < x!.shape[axis]!);
    return inside ? at : value;
  });
}

/** The tensor as a matrix, split before an axis. */
export function Flatten([x]: Inputs, attributes: Attributes = {}): HostTensor {
  const axis = integer(attributes, "axis", 1);
  const at = axis < 0 ? axis + x!.shape.length : axis;
  const shape = [size(x!.shape.slice(0, at)), size(x!.shape.slice(at))];
  return like(x!, shape, numbers(x!));
}

/** The same elements in another shape: −1 is worked out, 0 copied. */
export function Reshape(
  [x, target]: Inputs,
  attributes: Attributes = {},
): HostTensor {
  const literal = integer(attributes, "allowzero", 0) === 1;
  const shape = listOf(target, attributes, "shape")!.map((extent, i) =>
    extent === 0 && !literal ? x!.shape[i]! : extent
  );
  const rest = size(shape.filter((extent) => extent !== -1));
  return like(
    x!,
    shape.map((extent) => extent === -1 ? size(x!.shape) / rest : extent),
    numbers(x!),
  );
}

/** The tensor without axes of extent 1. */
export function Squeeze(
  [x, axesInput]: Inputs,
  attributes: Attributes = {},
): HostTensor {
  const axes = listOf(axesInput, attributes, "axes")
    ?.map((axis) => axisFrom(axis, x!.shape.length));
  const shape = x!.shape.filter((extent, axis) =>
    axes ? !axes.includes(axis) : extent !== 1
  );
  return like(x!, shape, numbers(x!));
}

/** The tensor with new axes of extent 1. */
export function Unsqueeze(
  [x, axesInput]: Inputs,
  attributes: Attributes = {},
): HostTensor {
  const list = listOf(axesInput, attributes, "axes")!;
  const rank = x!.shape.length + list.length;
  const axes = list.map((axis) => axisFrom(axis, rank)).sort((a, b) => a - b);
  const shape = [...x!.shape];
  for (const axis of axes) shape.splice(axis, 0, 1);
  return like(x!, shape, numbers(x!));
}

/** The tensor with its axes in another order. */
export function Transpose(
  [x]: Inputs,
  attributes: Attributes = {},
): HostTensor {
  const reversed = x!.shape.map((_, i) => x!.shape.length - 1 - i);
  const order = integers(attributes, "perm", reversed);
  return pick(x!, order.map((axis) => x!.shape[axis]!), (index) => {
    const source: number[] = [];
    order.forEach((axis, i) => source[axis] = index[i]!);
    return source;
  });
}

/** Every step-th element from start to before end, as NumPy slices. */
export function Slice(
  [x, from, to, over, by]: Inputs,
  attributes: Attributes = {},
): HostTensor {
  const starts = listOf(from, attributes, "starts")!;
  const ends = listOf(to, attributes, "ends")!;
  const axes = listOf(over, attributes, "axes") ?? starts.map((_, i) => i);
  const steps = by ? numbers(by) : starts.map(() => 1);
  const kept = x!.shape.map((extent) =>
    Array.from({ length: extent }, (_, i) => i)
  );
  axes.forEach((given, i) => {
    const axis = axisFrom(given, x!.shape.length);
    const extent = x!.shape[axis]!;
    const step = steps[i]!;
    const place = (index: number): number => index < 0 ? index + extent : index;
    const list: number[] = [];
    const [start, end] = [place(starts[i]!), place(ends[i]!)];
    if (step > 0) {
      for (
        let at = Math.max(start, 0);
        at < Math.min(end, extent);
        at += step
      ) {
        list.push(at);
      }
    } else {
      for (
        let at = Math.min(start, extent - 1);
        at > Math.max(end, -1);
        at += step
      ) {
        list.push(at);
      }
    }
    kept[axis] = list;
  });
  return pick(
    x!,
    kept.map((list) => list.length),
    (index) => index.map((i, axis) => kept[axis]![i]!),
  );
}

/** Elements at the given indices of an axis. */
export function Gather(
  [x, indices]: Inputs,
  attributes: Attributes = {},
): HostTensor {
  const axis = axisFrom(integer(attributes, "axis", 0), x!.shape.length);
  const extent = x!.shape[axis]!;
  const rank = indices!.shape.length;
  const shape = [
    ...x!.shape.slice(0, axis),
    ...indices!.shape,
    ...x!.shape.slice(axis + 1),
  ];
  const list = numbers(indices!);
  return pick(x!, shape, (index) => {
    const at = list[ravel(index.slice(axis, axis + rank), indices!.shape)]!;
    return [
      ...index.slice(0, axis),
      axisFrom(at, extent),
      ...index.slice(axis + rank),
    ];
  });
}

/** The extents of a tensor. */
export function Shape([x]: Inputs, attributes: Attributes = {}): HostTensor {
  const { start = 0, end = x!.shape.length } = attributes;
  const extents = x!.shape.slice(Number(start), Number(end));
  return {
    dtype: "int64",
    shape: [extents.length],
    data: BigInt64Array.from(extents, BigInt),
  };
}

/** The tensor in an attribute. */
export function Constant(_: Inputs, attributes: Attributes = {}): HostTensor {
  const { value, value_float, value_floats } = attributes;
  if (value) return value as HostTensor;
  if (value_float !== undefined) return tensor([], [Number(value_float)]);
  if (value_floats) {
    const list = value_floats as number[];
    return tensor([list.length], list);
  }
  const ints = attributes["value_ints"] as number[] | undefined;
  const list = ints ?? [Number(attributes["value_int"])];
  return {
    dtype: "int64",
    shape: ints ? [list.length] : [],
    data: BigInt64Array.from(list, BigInt),
  };
}

/** A tensor of the given shape full of one value. */
export function ConstantOfShape(
  [shape]: Inputs,
  attributes: Attributes = {},
): HostTensor {
  const extents = numbers(shape!);
  const value = attributes["value"] as HostTensor | undefined ??
    tensor([1], [0]);
  const fill = numbers(value)[0]!;
  return like(value, extents, new Array<number>(size(extents)).fill(fill));
}

/** The first of two parts of x along an axis: of the size given, else half of it rounded up. */
export function Split(
  [x, sizes]: Inputs,
  attributes: Attributes = {},
): HostTensor {
  const axis = axisFrom(integer(attributes, "axis", 0), x!.shape.length);
  const given = listOf(sizes, attributes, "split");
  const size = given?.[0] ?? Math.ceil(x!.shape[axis]! / 2);
  return pick(x!, x!.shape.with(axis, size), (index) => index);
}
