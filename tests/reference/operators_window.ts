/** Convolution and pooling over `[N, C, H, W]`, straight from the definitions. */
import type { HostTensor } from "../../src/nn/graph.ts";
import {
  type Attributes,
  floats,
  integer,
  integers,
  tensor,
} from "./operands.ts";

interface Axis {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly begin: number;
  readonly end: number;
  readonly output: number;
}

function axisOf(
  attributes: Attributes,
  i: number,
  input: number,
  kernel: number,
): Axis {
  const stride = integers(attributes, "strides", [1, 1])[i]!;
  const dilation = integers(attributes, "dilations", [1, 1])[i]!;
  const pads = integers(attributes, "pads", [0, 0, 0, 0]);
  const span = dilation * (kernel - 1) + 1;
  const auto = attributes["auto_pad"] ?? "NOTSET";
  let [begin, end] = [pads[i]!, pads[i + 2]!];
  if (auto === "VALID") [begin, end] = [0, 0];
  if (auto === "SAME_UPPER" || auto === "SAME_LOWER") {
    const output = Math.ceil(input / stride);
    const total = Math.max(0, (output - 1) * stride + span - input);
    begin = auto === "SAME_UPPER" ? total >> 1 : (total + 1) >> 1;
    end = total - begin;
  }
  let output = 0;
  const ceil = integer(attributes, "ceil_mode", 0) === 1;
  for (let at = -begin;; at += stride) {
    const fits = at + span <= input + end;
    const cut = ceil && at < input && at + span - stride < input + end;
    if (!fits && !cut) break;
    output++;
  }
  return { kernel, stride, dilation, begin, end, output };
}

/** y[n, m, p, q] = b[m] + Σ x[n, c, p·s + i·d − pad, …] · w[m, c, i, j]. */
export function Conv(
  [x, w, b]: readonly (HostTensor | undefined)[],
  attributes: Attributes = {},
): HostTensor {
  const [N, C, H, W] = x!.shape as [number, number, number, number];
  const [M, perGroup, kH, kW] = w!.shape as [number, number, number, number];
  const filters = M / integer(attributes, "group", 1);
  const rows = axisOf(attributes, 0, H, kH);
  const columns = axisOf(attributes, 1, W, kW);
  const [input, weight] = [floats(x!), floats(w!)];
  const y = new Float64Array(N * M * rows.output * columns.output);
  const line = new Float64Array(columns.output);
  for (let n = 0, at = 0; n < N; n++) {
    for (let m = 0; m < M; m++) {
      const first = Math.floor(m / filters) * perGroup;
      for (let p = 0; p < rows.output; p++, at += columns.output) {
        line.fill(b ? floats(b)[m]! : 0);
        for (let c = 0; c < perGroup; c++) {
          for (let i = 0; i < kH; i++) {
            const h = p * rows.stride + i * rows.dilation - rows.begin;
            if (h < 0 || h >= H) continue;
            const row = ((n * C + first + c) * H + h) * W;
            for (let j = 0; j < kW; j++) {
              const k = weight[((m * perGroup + c) * kH + i) * kW + j]!;
              const shift = j * columns.dilation - columns.begin;
              for (let q = 0; q < columns.output; q++) {
                const v = q * columns.stride + shift;
                if (v >= 0 && v < W) line[q]! += k * input[row + v]!;
              }
            }
          }
        }
        y.set(line, at);
      }
    }
  }
  return tensor([N, M, rows.output, columns.output], y);
}

function pool(
  x: HostTensor,
  attributes: Attributes,
  reduce: (values: readonly number[], padded: number) => number,
): HostTensor {
  const [N, C, H, W] = x.shape as [number, number, number, number];
  const [kH, kW] = integers(attributes, "kernel_shape", []);
  const rows = axisOf(attributes, 0, H, kH!);
  const columns = axisOf(attributes, 1, W, kW!);
  const y: number[] = [];
  const input = floats(x);
  for (let plane = 0; plane < N * C; plane++) {
    for (let p = 0; p < rows.output; p++) {
      for (let q = 0; q < columns.output; q++) {
        const values: number[] = [];
        let padded = 0;
        for (let i = 0; i < rows.kernel; i++) {
          for (let j = 0; j < columns.kernel; j++) {
            const h = p * rows.stride + i * rows.dilation - rows.begin;
            const w = q * columns.stride + j * columns.dilation - columns.begin;
            if (h < H + rows.end && w < W + columns.end) padded++;
            if (h < 0 || h >= H || w < 0 || w >= W) continue;
            values.push(input[(plane * H + h) * W + w]!);
          }
        }
        y.push(reduce(values, padded));
      }
    }
  }
  return tensor([N, C, rows.output, columns.output], y);
}

/** Largest element of each window; padding counts as −∞. */
export function MaxPool(
  [x]: readonly (HostTensor | undefined)[],
  attributes: Attributes = {},
): HostTensor {
  return pool(x!, attributes, (values) => Math.max(...values));
}

/** Mean of each window, over the pixels alone or over the padding as well. */
export function AveragePool(
  [x]: readonly (HostTensor | undefined)[],
  attributes: Attributes = {},
): HostTensor {
  const all = integer(attributes, "count_include_pad", 0) === 1;
  return pool(x!, attributes, (values, padded) => {
    const sum = values.reduce((a, b) => a + b, 0);
    return sum / (all ? padded : values.length);
  });
}

/** Mean of each channel. */
export function GlobalAveragePool(
  [x]: readonly (HostTensor | undefined)[],
): HostTensor {
  const [N, C, H, W] = x!.shape as [number, number, number, number];
  const y = new Float64Array(N * C);
  floats(x!).forEach((value, i) => y[Math.floor(i / (H * W))]! += value);
  return tensor([N, C, 1, 1], y.map((sum) => sum / (H * W)));
}
