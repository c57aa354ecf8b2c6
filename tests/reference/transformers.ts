/** Runs a vision transformer's {@linkcode Graph} on the CPU, operator by operator. */
import { evaluate } from "../../src/nn/evaluate.ts";
import { FoldingBudget } from "../../src/nn/folding_budget.ts";
import type { Graph, GraphNode, HostTensor } from "../../src/nn/graph.ts";
import { floatTensor } from "../../src/nn/host_tensor.ts";
import * as operators from "./operators.ts";

type Tensors = Map<string, HostTensor>;

/**
 * All tensors of the graph after one run on the given image `[N, 3, H, W]`:
 * what the network is made of by this file, everything else by the evaluators
 * of constants.
 */
export function interpretTransformer(graph: Graph, image: HostTensor): Tensors {
  const tensors: Tensors = new Map(graph.constants);
  for (const { name } of graph.inputs) tensors.set(name, image);
  const known = tensors as ReadonlyMap<string, HostTensor>;
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => tensors.get(name));
    if (node.op === "Split") {
      split(node, inputs[0]!, inputs[1], tensors);
      continue;
    }
    // Positions follow from the image's size alone: they have to be constants.
    const isPosition = node.name.startsWith("/pos_embed/") ||
      node.name.startsWith("/rope_embed/");
    const own = isPosition && node.op !== "Resize" ? undefined : OWN[node.op];
    const result = own?.(inputs, node) ??
      evaluate(node, known, new FoldingBudget(known));
    if (!result) throw new Error(`No reference for the operator ${node.op}`);
    tensors.set(node.outputs[0]!, result);
  }
  return tensors;
}

type Operator = (
  inputs: readonly (HostTensor | undefined)[],
  node: GraphNode,
) => HostTensor;

const OWN: Readonly<Record<string, Operator>> = {
  Conv: (inputs, { attributes }) => operators.Conv(inputs, attributes),
  MatMul: (inputs) => operators.MatMul(inputs),
  Softmax: (inputs, { attributes }) => operators.Softmax(inputs, attributes),
  LayerNormalization,
  Resize,
};

function LayerNormalization(
  [x, weight, bias]: readonly (HostTensor | undefined)[],
  { attributes }: GraphNode,
): HostTensor {
  const dim = x!.shape.at(-1)!;
  const values = x!.data as Float32Array;
  const data = new Float32Array(values.length);
  for (let row = 0; row < values.length; row += dim) {
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += values[row + d]!;
    const mean = sum / dim;
    let squares = 0;
    for (let d = 0; d < dim; d++) squares += (values[row + d]! - mean) ** 2;
    const scale = 1 / Math.sqrt(squares / dim + Number(attributes["epsilon"]));
    for (let d = 0; d < dim; d++) {
      data[row + d] = (values[row + d]! - mean) * scale *
          Number(weight!.data[d]) + Number(bias!.data[d]);
    }
  }
  return floatTensor(x!.shape, data);
}

/** Bicubic by scales or to sizes, half-pixel centres, borders repeated. */
function Resize(
  [x, , scales, sizes]: readonly (HostTensor | undefined)[],
  { attributes }: GraphNode,
): HostTensor {
  const [, channels, height, width] = x!.shape as [
    number,
    number,
    number,
    number,
  ];
  const [, , down, across] = sizes
    ? Array.from<number | bigint, number>(
      sizes.data,
      (size, i) => Number(size) / x!.shape[i]!,
    )
    : Array.from(scales!.data, Number);
  const a = Number(attributes["cubic_coeff_a"]);
  const rows = cubicTaps(height, down!, a);
  const columns = cubicTaps(width, across!, a);
  const data: number[] = [];
  for (let c = 0; c < channels; c++) {
    for (const row of rows) {
      for (const column of columns) {
        let sum = 0;
        for (const [y, v] of row) {
          for (const [at, h] of column) {
            sum += v * h * Number(x!.data[(c * height + y) * width + at]);
          }
        }
        data.push(sum);
      }
    }
  }
  return floatTensor([1, channels, rows.length, columns.length], data);
}

function cubicTaps(
  size: number,
  scale: number,
  a: number,
): (readonly [number, number])[][] {
  const weight = (x: number): number =>
    x <= 1
      ? ((a + 2) * x - (a + 3)) * x * x + 1
      : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  const length = Math.floor(size * scale + 1e-9);
  return Array.from({ length }, (_, i) => {
    const at = (i + 0.5) / scale - 0.5;
    const first = Math.floor(at);
    return [-1, 0, 1, 2].map((k) =>
      [
        Math.min(Math.max(first + k, 0), size - 1),
        weight(Math.abs(at - first - k)),
      ] as const
    );
  });
}

function split(
  { attributes, outputs }: GraphNode,
  x: HostTensor,
  sizes: HostTensor | undefined,
  tensors: Tensors,
): void {
  const axis = (Number(attributes["axis"] ?? 0) + x.shape.length) %
    x.shape.length;
  const inner = x.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const whole = x.shape[axis]!;
  const values = x.data as Float32Array;
  let start = 0;
  outputs.forEach((name, i) => {
    const size = Number(sizes?.data[i] ?? whole / outputs.length);
    const data: number[] = [];
    for (let at = 0; at < values.length; at += whole * inner) {
      const from = at + start * inner;
      data.push(...values.subarray(from, from + size * inner));
    }
    const shape = x.shape.toSpliced(axis, 1, size);
    tensors.set(name, floatTensor(shape, data));
    start += size;
  });
}
