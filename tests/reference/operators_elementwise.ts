/** Elementwise operators. */
import type { HostTensor } from "../../src/nn/graph.ts";
import { erf } from "./erf.ts";
import {
  type Attributes,
  integer,
  like,
  numbers,
  ravel,
  size,
  tensor,
  unravel,
} from "./operands.ts";

type Operator = (
  inputs: readonly (HostTensor | undefined)[],
  attributes?: Attributes,
) => HostTensor;

function unary(
  apply: (x: number, attributes: Attributes) => number,
): Operator {
  return ([x], attributes = {}) =>
    like(x!, x!.shape, numbers(x!).map((value) => apply(value, attributes)));
}

function binary(apply: (a: number, b: number) => number): Operator {
  return ([a, b]) => {
    const rank = Math.max(a!.shape.length, b!.shape.length);
    const lead = (shape: readonly number[]): number[] => [
      ...new Array<number>(rank - shape.length).fill(1),
      ...shape,
    ];
    const [shapeA, shapeB] = [lead(a!.shape), lead(b!.shape)];
    const shape = shapeA.map((extent, i) => extent === 1 ? shapeB[i]! : extent);
    const [left, right] = [numbers(a!), numbers(b!)];
    const y = Array.from({ length: size(shape) }, (_, i) => {
      const index = unravel(i, shape);
      return apply(left[ravel(index, shapeA)]!, right[ravel(index, shapeB)]!);
    });
    return like(a!, shape, y);
  };
}

/** a + b. */
export const Add: Operator = binary((a, b) => a + b);
/** a − b. */
export const Sub: Operator = binary((a, b) => a - b);
/** a · b. */
export const Mul: Operator = binary((a, b) => a * b);
/** a / b. */
export const Div: Operator = binary((a, b) => a / b);
/** max(x, 0). */
export const Relu: Operator = unary((x) => Math.max(x, 0));
/** 1 / (1 + e^−x). */
export const Sigmoid: Operator = unary((x) => 1 / (1 + Math.exp(-x)));
/** x / 2 · (1 + erf(x / √2)). */
export const Gelu: Operator = unary((x) => x / 2 * (1 + erf(x * Math.SQRT1_2)));
/** −x. */
export const Neg: Operator = unary((x) => -x);
/** ⌊x⌋. */
export const Floor: Operator = unary(Math.floor);
/** ⌈x⌉. */
export const Ceil: Operator = unary(Math.ceil);
/** √x. */
export const Sqrt: Operator = unary(Math.sqrt);
/** The larger one of a and b. */
export const Max: Operator = binary(Math.max);
/** The smaller one of a and b. */
export const Min: Operator = binary(Math.min);
/** a to the power of b. */
export const Pow: Operator = binary(Math.pow);
/** 1 / x. */
export const Reciprocal: Operator = unary((x) => 1 / x);
/** (x − zero) · scale, one scale and zero for each element of an axis. */
export const DequantizeLinear: Operator = ([x, scale, zero], attributes) => {
  const axis = integer(attributes ?? {}, "axis", 1);
  const shape = x!.shape.map((extent, i) => i === axis ? extent : 1);
  const along = (t: HostTensor): HostTensor => tensor(shape, numbers(t));
  const floats = tensor(x!.shape, numbers(x!));
  return Mul([Sub([floats, along(zero!)]), along(scale!)]);
};
/** x, or alpha · x below zero. */
export const LeakyRelu: Operator = unary((x, { alpha = 0.01 }) =>
  x < 0 ? Number(alpha) * x : x
);
/** x, or slope · x below zero. */
export const PRelu: Operator = ([x, slope]) =>
  binary((x, slope) => x < 0 ? slope * x : x)([x, slope]);
/** The sum of all inputs. */
export const Sum: Operator = ([first, ...others]) =>
  others.reduce<HostTensor>((sum, x) => Add([sum, x]), first!);
/** max(0, min(1, alpha · x + beta)). */
export const HardSigmoid: Operator = unary((x, { alpha = 0.2, beta = 0.5 }) =>
  Math.max(0, Math.min(1, Number(alpha) * x + Number(beta)))
);
/** x · max(0, min(1, x / 6 + 1/2)). */
export const HardSwish: Operator = unary((x) =>
  x * Math.max(0, Math.min(1, x / 6 + 0.5))
);

/** max(low, min(high, x)), bounds as attributes or inputs. */
export const Clip: Operator = ([x, low, high], attributes = {}) => {
  const min = low ? numbers(low)[0]! : Number(attributes["min"] ?? -Infinity);
  const max = high ? numbers(high)[0]! : Number(attributes["max"] ?? Infinity);
  return like(
    x!,
    x!.shape,
    numbers(x!).map((value) => Math.min(max, Math.max(min, value))),
  );
};

/** The input itself. */
export const Identity: Operator = ([x]) => x!;
/** The input itself: at inference nothing is dropped. */
export const Dropout: Operator = ([x]) => x!;

/** The input in another element type. */
export const Cast: Operator = ([x], attributes = {}) => {
  const values = numbers(x!);
  switch (integer(attributes, "to", 1)) {
    case 6:
      return { dtype: "int32", shape: x!.shape, data: Int32Array.from(values) };
    case 7:
      return {
        dtype: "int64",
        shape: x!.shape,
        data: BigInt64Array.from(values, (v) => BigInt(Math.trunc(v))),
      };
    case 9:
      return {
        dtype: "bool",
        shape: x!.shape,
        data: Uint8Array.from(values, (v) => v ? 1 : 0),
      };
    default:
      return tensor(x!.shape, values);
  }
};
