/** Products, means and normalisations. */
import type { HostTensor } from "../../src/nn/graph.ts";
import {
  type Attributes,
  axisFrom,
  floats,
  integer,
  numbers,
  ravel,
  size,
  tensor,
  unravel,
} from "./operands.ts";

type Inputs = readonly (HostTensor | undefined)[];

/** (x − mean) / √(var + epsilon) · scale + bias; with three inputs x · scale + bias. */
export function BatchNormalization(
  [x, scale, bias, mean, variance]: Inputs,
  attributes: Attributes = {},
): HostTensor {
  const channels = x!.shape[1]!;
  const plane = size(x!.shape.slice(2));
  const epsilon = integer(attributes, "epsilon", 1e-5);
  return tensor(
    x!.shape,
    Float64Array.from(floats(x!), (value, i) => {
      const c = Math.floor(i / plane) % channels;
      const centred = mean && variance
        ? (value - floats(mean)[c]!) /
          Math.sqrt(floats(variance)[c]! + epsilon)
        : value;
      return centred * floats(scale!)[c]! + floats(bias!)[c]!;
    }),
  );
}

/** alpha · A' · B' + beta · C. */
export function Gemm(
  [a, b, c]: Inputs,
  attributes: Attributes = {},
): HostTensor {
  const alpha = integer(attributes, "alpha", 1);
  const beta = integer(attributes, "beta", 1);
  const [rowsA, columnsA] = a!.shape as [number, number];
  const [rowsB, columnsB] = b!.shape as [number, number];
  const transA = integer(attributes, "transA", 0) === 1;
  const transB = integer(attributes, "transB", 0) === 1;
  const [m, k] = transA ? [columnsA, rowsA] : [rowsA, columnsA];
  const n = transB ? rowsB : columnsB;
  const y = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) {
        const left = floats(a!)[transA ? l * columnsA + i : i * columnsA + l]!;
        const right = floats(b!)[transB ? j * columnsB + l : l * columnsB + j]!;
        sum += left * right;
      }
      const extra = c ? floats(c)[ravel([i, j], c.shape)]! : 0;
      y[i * n + j] = alpha * sum + beta * extra;
    }
  }
  return tensor([m, n], y);
}

/** Matrix product of the last two axes, the others broadcast. */
export function MatMul([a, b]: Inputs): HostTensor {
  const left = a!.shape.length === 1 ? [1, ...a!.shape] : a!.shape;
  const right = b!.shape.length === 1 ? [...b!.shape, 1] : b!.shape;
  const [m, k] = left.slice(-2) as [number, number];
  const n = right.at(-1)!;
  const rank = Math.max(left.length, right.length) - 2;
  const lead = (shape: readonly number[]): number[] => [
    ...new Array<number>(rank + 2 - shape.length).fill(1),
    ...shape,
  ];
  const [shapeA, shapeB] = [lead(left), lead(right)];
  const batch = shapeA.slice(0, rank).map((e, i) => e === 1 ? shapeB[i]! : e);
  const shape = [...batch, m, n];
  const y = Array.from({ length: size(shape) }, (_, flat) => {
    const index = unravel(flat, shape);
    const [i, j] = index.slice(-2) as [number, number];
    let sum = 0;
    for (let l = 0; l < k; l++) {
      const outer = index.slice(0, -2);
      sum += floats(a!)[ravel([...outer, i, l], shapeA)]! *
        floats(b!)[ravel([...outer, l, j], shapeB)]!;
    }
    return sum;
  });
  const result = [
    ...batch,
    ...(a!.shape.length === 1 ? [] : [m]),
    ...(b!.shape.length === 1 ? [] : [n]),
  ];
  return tensor(result, y);
}

/** Mean over the given axes, over all without any. */
export function ReduceMean(
  [x, given]: Inputs,
  attributes: Attributes = {},
): HostTensor {
  const rank = x!.shape.length;
  const list = given ? numbers(given) : attributes["axes"] as number[] ?? [];
  if (list.length === 0 && integer(attributes, "noop_with_empty_axes", 0)) {
    return x!;
  }
  const axes = list.map((axis) => axisFrom(axis, rank));
  const reduced = (axis: number): boolean =>
    axes.length === 0 || axes.includes(axis);
  const kept = x!.shape.map((extent, axis) => reduced(axis) ? 1 : extent);
  const y = new Float64Array(size(kept));
  floats(x!).forEach((value, i) => {
    y[ravel(unravel(i, x!.shape), kept)]! += value;
  });
  const shape = integer(attributes, "keepdims", 1)
    ? kept
    : x!.shape.filter((_, axis) => !reduced(axis));
  return tensor(shape, y.map((sum) => sum * y.length / size(x!.shape)));
}

/** e^x / Σ e^x along an axis; before operator set 13 along it and all after it. */
export function Softmax(
  [x]: Inputs,
  attributes: Attributes = {},
  opset = 13,
): HostTensor {
  const rank = x!.shape.length;
  const axis = axisFrom(
    integer(attributes, "axis", opset < 13 ? 1 : -1),
    rank,
  );
  const group = (i: number): string =>
    unravel(i, x!.shape)
      .map((at, a) => (opset < 13 ? a >= axis : a === axis) ? 0 : at).join();
  const peaks = new Map<string, number>();
  floats(x!).forEach((value, i) => {
    peaks.set(group(i), Math.max(peaks.get(group(i)) ?? -Infinity, value));
  });
  const sums = new Map<string, number>();
  const powers = Array.from(floats(x!), (value, i) => {
    const power = Math.exp(value - peaks.get(group(i))!);
    sums.set(group(i), (sums.get(group(i)) ?? 0) + power);
    return power;
  });
  return tensor(
    x!.shape,
    powers.map((power, i) => power / sums.get(group(i))!),
  );
}
