/**
 * What operators compute of constants, one function an operator, in float64
 * and rounded once to the result's type.
 *
 * @module
 */
import { numberAttribute, tensorAttribute } from "./attributes.ts";
import { BFLOAT16, castType, FLOAT16 } from "./cast_type.ts";
import type { DataType, GraphNode, HostTensor } from "./graph.ts";
import { elementCount, makeTensor, numbersOf } from "./host_tensor.ts";
import { multiplied } from "./matmul.ts";
import { nodeError } from "./onnx/errors.ts";
import {
  type KnownValues,
  resolveAxes,
  resolveAxis,
  resolveClip,
  resolvePermutation,
  resolveSlice,
} from "./parameters.ts";
import { resized, resolveResize } from "./resize.ts";
import type { Shape } from "./shape_rules.ts";
import { broadcast, elementsOf, rowMajorStrides, strided } from "./strided.ts";

/** Computes a node's first result from its inputs, by position, and the result's shape. */
export type Evaluator = (
  node: GraphNode,
  inputs: readonly (HostTensor | undefined)[],
  shape: Shape,
  values: KnownValues,
) => HostTensor;

/** The input at a position, which the operator needs. */
function inputAt(
  node: GraphNode,
  inputs: readonly (HostTensor | undefined)[],
  index: number,
): HostTensor {
  const tensor = inputs[index];
  if (tensor) return tensor;
  throw nodeError(node, `its input ${index} is missing`);
}

/** A result; integers have to be finite. */
function resultOf(
  node: GraphNode,
  dtype: DataType,
  shape: Shape,
  values: Float64Array,
): HostTensor {
  if (dtype !== "float32" && dtype !== "bool") {
    const odd = values.find((value) => !Number.isFinite(value));
    if (odd !== undefined) {
      throw nodeError(node, `its result would be ${odd} as ${dtype}`);
    }
  }
  return makeTensor(dtype, shape, values);
}

function binary(
  apply: (a: number, b: number) => number,
  result?: DataType,
): Evaluator {
  return (node, inputs, shape) => {
    const a = inputAt(node, inputs, 0);
    const left = elementsOf(broadcast(a, shape));
    const right = elementsOf(broadcast(inputAt(node, inputs, 1), shape));
    const dtype = result ?? a.dtype;
    const values = new Float64Array(left.length);
    const whole = a.dtype !== "float32";
    for (let i = 0; i < values.length; i++) {
      const value = apply(left[i]!, right[i]!);
      values[i] = whole ? Math.trunc(value) : value;
    }
    if (whole && !values.every(Number.isFinite)) {
      throw nodeError(node, "it divides an integer by zero");
    }
    return resultOf(node, dtype, shape, values);
  };
}

/** An operator of any number of inputs, taken two by two. */
function variadic(apply: (a: number, b: number) => number): Evaluator {
  return (node, inputs, shape) => {
    const first = inputAt(node, inputs, 0);
    const values = Float64Array.from(elementsOf(broadcast(first, shape)));
    for (let i = 1; i < inputs.length; i++) {
      const other = elementsOf(broadcast(inputAt(node, inputs, i), shape));
      for (let k = 0; k < values.length; k++) {
        values[k] = apply(values[k]!, other[k]!);
      }
    }
    return resultOf(node, first.dtype, shape, values);
  };
}

function unary(
  apply: (value: number) => number,
  result?: DataType,
): Evaluator {
  return (node, inputs, shape) => {
    const x = inputAt(node, inputs, 0);
    const values = Float64Array.from(elementsOf(x), apply);
    return resultOf(node, result ?? x.dtype, shape, values);
  };
}

const reshaped: Evaluator = (node, inputs, shape) => ({
  ...inputAt(node, inputs, 0),
  shape,
});

const Cast: Evaluator = (node, inputs, shape) => {
  const x = inputAt(node, inputs, 0);
  const type = castType(node);
  const to = numberAttribute(node, "to", 0);
  if (to === FLOAT16 || to === BFLOAT16) {
    return makeTensor("float32", shape, rounded(elementsOf(x), to));
  }
  if (type === x.dtype) return x;
  const values = elementsOf(x);
  if (type !== "float32" && type !== "bool" && x.dtype === "float32") {
    const odd = x.data.find((value) => !Number.isFinite(value));
    if (odd !== undefined) {
      throw nodeError(node, `it casts ${odd} to ${type}`);
    }
  }
  return makeTensor(type, shape, values);
};

/** Numbers rounded as a narrower float type holds them. */
function rounded(values: ArrayLike<number>, to: number): ArrayLike<number> {
  if (to === FLOAT16) return new Float16Array(Array.from(values));
  const floats = Float32Array.from(values);
  const bits = new Uint32Array(floats.buffer);
  for (let i = 0; i < bits.length; i++) {
    if (Number.isNaN(floats[i])) continue;
    // To the nearest, to the even one of two.
    bits[i] = (bits[i]! + 0x7fff + (bits[i]! >>> 16 & 1)) & 0xffff0000;
  }
  return floats;
}

const Concat: Evaluator = (node, inputs, shape) => {
  const axis = resolveAxis(
    node,
    numberAttribute(node, "axis", 0),
    shape.length,
  );
  const result = new Float64Array(elementCount(shape));
  const row = elementCount(shape.slice(axis));
  let at = 0;
  for (let k = 0; k < inputs.length; k++) {
    const input = inputAt(node, inputs, k);
    const source = elementsOf(input);
    const length = elementCount(input.shape.slice(axis));
    for (let i = 0; i < source.length; i++) {
      result[Math.floor(i / length) * row + at + i % length] = source[i]!;
    }
    at += length;
  }
  return makeTensor(inputAt(node, inputs, 0).dtype, shape, result);
};

const Constant: Evaluator = (node, _inputs, shape) => {
  const tensor = tensorAttribute(node, "value");
  if (tensor) return tensor;
  for (const [name, value] of Object.entries(node.attributes)) {
    if (!/^value_(int|float)s?$/.test(name)) continue;
    const dtype = name.startsWith("value_int") ? "int64" : "float32";
    if (typeof value === "number") return makeTensor(dtype, [], [value]);
    if (Array.isArray(value)) return makeTensor(dtype, shape, value);
  }
  throw nodeError(node, "it has no value that is a number");
};

const ConstantOfShape: Evaluator = (node, _inputs, shape) => {
  const tensor = tensorAttribute(node, "value");
  const value = tensor ? numbersOf(tensor)[0] ?? 0 : 0;
  const values = new Float64Array(elementCount(shape)).fill(value);
  return makeTensor(tensor?.dtype ?? "float32", shape, values);
};

const Gather: Evaluator = (node, inputs, shape) => {
  const x = inputAt(node, inputs, 0);
  const axis = resolveAxis(
    node,
    numberAttribute(node, "axis", 0),
    x.shape.length,
  );
  const source = elementsOf(x);
  const extent = x.shape[axis]!;
  const inner = elementCount(x.shape.slice(axis + 1));
  const picks = numbersOf(inputAt(node, inputs, 1))
    .map((i) => i < 0 ? i + extent : i);
  const outside = picks.find((i) =>
    !Number.isInteger(i) || i < 0 || i >= extent
  );
  if (outside !== undefined) {
    throw nodeError(node, `index ${outside} is outside of ${extent} elements`);
  }
  const result = new Float64Array(elementCount(shape));
  for (let i = 0; i < result.length; i++) {
    const pick = picks[Math.floor(i / inner) % picks.length]!;
    const outer = Math.floor(i / (inner * picks.length));
    result[i] = source[(outer * extent + pick) * inner + i % inner]!;
  }
  return makeTensor(x.dtype, shape, result);
};

const Slice: Evaluator = (node, inputs, shape, values) => {
  const x = inputAt(node, inputs, 0);
  const { starts, steps } = resolveSlice(node, x.shape, values);
  const own = rowMajorStrides(x.shape);
  const offset = starts.reduce((sum, at, axis) => sum + at * own[axis]!, 0);
  return strided(x, shape, own.map((s, axis) => s * steps[axis]!), offset);
};

const Transpose: Evaluator = (node, inputs, shape) => {
  const x = inputAt(node, inputs, 0);
  const own = rowMajorStrides(x.shape);
  const order = resolvePermutation(node, shape.length);
  return strided(x, shape, order.map((axis) => own[axis]!));
};

const Expand: Evaluator = (node, inputs, shape) =>
  broadcast(inputAt(node, inputs, 0), shape);

const Where: Evaluator = (node, inputs, shape) => {
  const [condition, a, b] = [0, 1, 2].map((i) =>
    broadcast(inputAt(node, inputs, i), shape)
  ) as [HostTensor, HostTensor, HostTensor];
  const [choose, yes, no] = [condition, a, b].map(elementsOf);
  const values = Float64Array.from(
    yes!,
    (value, i) => choose![i] ? value : no![i]!,
  );
  return makeTensor(a.dtype, shape, values);
};

const Clip: Evaluator = (node, inputs, shape, values) => {
  const x = inputAt(node, inputs, 0);
  const { min, max } = resolveClip(node, values);
  const clip = (value: number): number => Math.min(Math.max(value, min), max);
  return resultOf(
    node,
    x.dtype,
    shape,
    Float64Array.from(elementsOf(x), clip),
  );
};

const Range: Evaluator = (node, inputs, shape) => {
  const [start, , step] = [0, 1, 2].map((i) =>
    numbersOf(inputAt(node, inputs, i))[0] ?? 0
  );
  const values = Float64Array.from(
    { length: shape[0]! },
    (_, i) => start! + i * step!,
  );
  return resultOf(node, inputAt(node, inputs, 0).dtype, shape, values);
};

const Resize: Evaluator = (node, inputs, _shape, values) => {
  const x = inputAt(node, inputs, 0);
  return resized(node, x, resolveResize(node, x.shape, values));
};

const Tile: Evaluator = (node, inputs, shape) => {
  const x = inputAt(node, inputs, 0);
  const own = rowMajorStrides(x.shape);
  // Each axis becomes one of repeats, which stay where they are, and its own.
  const spread = shape.flatMap((extent, axis) => [
    extent / x.shape[axis]!,
    x.shape[axis]!,
  ]);
  const strides = own.flatMap((stride) => [0, stride]);
  return { ...strided(x, spread, strides), shape };
};

/** An operator that sums up elements along axes. */
function reduction(
  start: number,
  add: (sum: number, value: number) => number,
  finish: (sum: number, count: number) => number = (sum) => sum,
): Evaluator {
  return (node, inputs, shape, values) => {
    const x = inputAt(node, inputs, 0);
    const rank = x.shape.length;
    const axes = resolveAxes(node, rank, values);
    const none = axes === undefined || axes.length === 0;
    if (none && numberAttribute(node, "noop_with_empty_axes", 0) !== 0) {
      return x;
    }
    const kept = x.shape.map((extent, axis) =>
      none || axes.includes(axis) ? 1 : extent
    );
    const strides = rowMajorStrides(kept)
      .map((stride, axis) => kept[axis] === 1 ? 0 : stride);
    const source = elementsOf(x);
    const sums = new Float64Array(elementCount(kept)).fill(start);
    const index = x.shape.map(() => 0);
    let at = 0;
    for (let i = 0; i < source.length; i++) {
      sums[at] = add(sums[at]!, source[i]!);
      for (let axis = rank - 1; axis >= 0; axis--) {
        at += strides[axis]!;
        if (++index[axis]! < x.shape[axis]!) break;
        at -= strides[axis]! * x.shape[axis]!;
        index[axis] = 0;
      }
    }
    const count = source.length / Math.max(sums.length, 1);
    const results = sums.map((sum) => finish(sum, count));
    return resultOf(node, x.dtype, shape, results);
  };
}

/** Scale and zero point of each element, from scalars or vectors along `axis`. */
function quantisation(
  node: GraphNode,
  inputs: readonly (HostTensor | undefined)[],
  shape: Shape,
): { scale: ArrayLike<number>; zero: ArrayLike<number> } {
  const along = (tensor: HostTensor): ArrayLike<number> => {
    if (tensor.data.length === 1) return elementsOf(broadcast(tensor, shape));
    const axis = resolveAxis(
      node,
      numberAttribute(node, "axis", 1),
      shape.length,
    );
    const blocks = numberAttribute(node, "block_size", 0) !== 0;
    if (
      blocks || tensor.shape.length !== 1 || tensor.shape[0] !== shape[axis]
    ) {
      throw nodeError(
        node,
        `its scale or zero point has shape [${tensor.shape}], expected one value or [${
          shape[axis]
        }]`,
        "unsupported_operator",
      );
    }
    const column = shape.map((extent, i) => i === axis ? extent : 1);
    const spread = { ...tensor, shape: column } as HostTensor;
    return elementsOf(broadcast(spread, shape));
  };
  const zero = inputs[2];
  return {
    scale: along(inputAt(node, inputs, 1)),
    zero: zero ? along(zero) : new Float64Array(elementCount(shape)),
  };
}

/** (x − zero point) · scale. */
const DequantizeLinear: Evaluator = (node, inputs, shape) => {
  const x = elementsOf(inputAt(node, inputs, 0));
  const { scale, zero } = quantisation(node, inputs, shape);
  const values = Float64Array.from(x, (v, i) => (v - zero[i]!) * scale[i]!);
  return makeTensor("float32", shape, values);
};

/** Round(x / scale) + zero point, saturated to the zero point's type. */
const QuantizeLinear: Evaluator = (node, inputs, shape) => {
  const x = elementsOf(inputAt(node, inputs, 0));
  const { scale, zero } = quantisation(node, inputs, shape);
  const dtype = inputs[2]?.dtype ?? "uint8";
  if (dtype !== "uint8" && dtype !== "int8") {
    throw nodeError(node, `it quantises to ${dtype}`, "unsupported_operator");
  }
  const [low, high] = dtype === "uint8" ? [0, 255] : [-128, 127];
  const { fround } = Math;
  const values = Float64Array.from(x, (v, i) => {
    const level = roundHalfEven(fround(v / scale[i]!)) + zero[i]!;
    return Math.min(Math.max(level, low!), high!);
  });
  return makeTensor(dtype, shape, values);
};

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The error function, to about 1e-13. */
function erf(x: number): number {
  const t = Math.abs(x);
  if (t > 6) return Math.sign(x);
  if (t < 2.5) {
    // Maclaurin series; 60 terms suffice below 2.5.
    let term = t;
    let sum = t;
    for (let n = 1; n < 60; n++) {
      term *= -t * t / n;
      sum += term / (2 * n + 1);
    }
    return Math.sign(x) * sum * 2 / Math.sqrt(Math.PI);
  }
  // Continued fraction of erfc.
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (t + fraction);
  const erfc = Math.exp(-t * t) / Math.sqrt(Math.PI) / (t + fraction);
  return Math.sign(x) * (1 - erfc);
}

const truth = (value: boolean): number => value ? 1 : 0;
const sum = reduction(0, (total, value) => total + value);
const mean = reduction(
  0,
  (total, value) => total + value,
  (total, count) => total / count,
);

/** Evaluators by operator. */
export const EVALUATORS: Readonly<Record<string, Evaluator>> = {
  Abs: unary(Math.abs),
  Add: binary((a, b) => a + b),
  And: binary((a, b) => truth(a !== 0 && b !== 0), "bool"),
  Cast,
  Ceil: unary(Math.ceil),
  Clip,
  Concat,
  Constant,
  ConstantOfShape,
  Cos: unary(Math.cos),
  DequantizeLinear,
  Div: binary((a, b) => a / b),
  Equal: binary((a, b) => truth(a === b), "bool"),
  Erf: unary(erf),
  Exp: unary(Math.exp),
  Expand,
  Flatten: reshaped,
  Floor: unary(Math.floor),
  Gather,
  Greater: binary((a, b) => truth(a > b), "bool"),
  GreaterOrEqual: binary((a, b) => truth(a >= b), "bool"),
  Identity: reshaped,
  IsNaN: unary((value) => truth(Number.isNaN(value)), "bool"),
  Less: binary((a, b) => truth(a < b), "bool"),
  LessOrEqual: binary((a, b) => truth(a <= b), "bool"),
  Log: unary(Math.log),
  MatMul: (node, inputs, shape) =>
    multiplied(inputAt(node, inputs, 0), inputAt(node, inputs, 1), shape),
  Max: variadic(Math.max),
  Min: variadic(Math.min),
  Mul: binary((a, b) => a * b),
  Neg: unary((value) => -value),
  Not: unary((value) => truth(value === 0), "bool"),
  Or: binary((a, b) => truth(a !== 0 || b !== 0), "bool"),
  Pow: binary(Math.pow),
  QuantizeLinear,
  Range,
  Reciprocal: unary((value) => 1 / value),
  ReduceMax: reduction(-Infinity, Math.max),
  ReduceMean: mean,
  ReduceMin: reduction(Infinity, Math.min),
  ReduceProd: reduction(1, (total, value) => total * value),
  ReduceSum: sum,
  ReduceSumSquare: reduction(0, (total, value) => total + value * value),
  Relu: unary((value) => Math.max(value, 0)),
  Reshape: reshaped,
  Resize,
  Round: unary(roundHalfEven),
  Sigmoid: unary((value) => 1 / (1 + Math.exp(-value))),
  Sign: unary(Math.sign),
  Sin: unary(Math.sin),
  Size: (node, inputs, shape) =>
    makeTensor("int64", shape, [inputAt(node, inputs, 0).data.length]),
  Slice,
  Sqrt: unary(Math.sqrt),
  Squeeze: reshaped,
  Sub: binary((a, b) => a - b),
  Sum: variadic((a, b) => a + b),
  Tanh: unary(Math.tanh),
  Tile,
  Transpose,
  Unsqueeze: reshaped,
  Where,
};
