import type { Conv2dSizes } from "../../src/wgsl/conv2d.ts";
import type { FusedActivation } from "../../src/wgsl/activation.ts";
import { erf } from "./erf.ts";

/** Sizes of the reference: those of the kernel, with real channel counts. */
export interface ReferenceConv2dSizes
  extends Omit<Conv2dSizes, "inputChannels4" | "outputChannels4" | "batches"> {
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly groups?: number;
}

/**
 * Convolution in float64.
 *
 * @param x `[N, H, W, C]`
 * @param weights `[O, C / G, KH, KW]`, ONNX order
 * @param bias `[O]`
 * @param residual `[N, OH, OW, O]`
 * @returns `[N, OH, OW, O]`
 */
export function conv2d(
  sizes: ReferenceConv2dSizes,
  x: Float32Array,
  weights: Float32Array,
  bias: Float32Array,
  residual?: Float32Array,
): Float64Array {
  const { images, input, output, inputChannels, outputChannels } = sizes;
  const [kh, kw] = sizes.kernel ?? [1, 1];
  const [sy, sx] = sizes.strides ?? [1, 1];
  const [top, left] = sizes.pads ?? [0, 0];
  const [dy, dx] = sizes.dilations ?? [1, 1];
  const groups = sizes.groups ?? 1;
  const groupInputs = inputChannels / groups;
  const groupOutputs = outputChannels / groups;
  const y = new Float64Array(images * output[0] * output[1] * outputChannels);
  let at = 0;
  for (let n = 0; n < images; n++) {
    for (let oy = 0; oy < output[0]; oy++) {
      for (let ox = 0; ox < output[1]; ox++) {
        for (let o = 0; o < outputChannels; o++, at++) {
          const first = Math.floor(o / groupOutputs) * groupInputs;
          let sum = bias[o];
          for (let ky = 0; ky < kh; ky++) {
            const iy = oy * sy - top + ky * dy;
            if (iy < 0 || iy >= input[0]) continue;
            for (let kx = 0; kx < kw; kx++) {
              const ix = ox * sx - left + kx * dx;
              if (ix < 0 || ix >= input[1]) continue;
              const pixel = (n * input[0] + iy) * input[1] + ix;
              for (let c = 0; c < groupInputs; c++) {
                sum += x[pixel * inputChannels + first + c] *
                  weights[((o * groupInputs + c) * kh + ky) * kw + kx];
              }
            }
          }
          y[at] = sum;
        }
      }
    }
  }
  return y.map((sum, at) => finish(sizes, y, sum, at, residual));
}

/** How a product ends: a summand, a factor, or angles that turn pairs of columns. */
function finish(
  sizes: ReferenceConv2dSizes,
  sums: Float64Array,
  sum: number,
  at: number,
  residual: Float32Array | undefined,
): number {
  const { turn, gate, activation, outputChannels } = sizes;
  if (residual === undefined) return activate(sum, activation);
  if (gate) return activate(sum, activation) * residual[at]!;
  if (turn === undefined) return activate(sum + residual[at]!, activation);
  const [row, column] = [Math.floor(at / outputChannels), at % outputChannels];
  if (column >= 4 * turn.columns4) return activate(sum, activation);
  const vector = row % turn.tokens * turn.head4 +
    Math.floor(column / 4) % turn.head4;
  const [cos, sin] = [0, 1].map((part) =>
    residual[(2 * vector + part) * 4 + column % 4]!
  ) as [number, number];
  const other = column % 2 === 0 ? -sums[at + 1]! : sums[at - 1]!;
  return activate(sum * cos + other * sin, activation);
}

/** An activation in float64. */
export function activate(
  v: number,
  activation: FusedActivation = { kind: "none" },
): number {
  switch (activation.kind) {
    case "none":
      return v;
    case "relu":
      return Math.max(v, 0);
    case "clip":
      return Math.min(Math.max(v, activation.min), activation.max);
    case "leaky_relu":
      return v < 0 ? v * activation.alpha : v;
    case "sigmoid":
      return 1 / (1 + Math.exp(-v));
    case "hard_sigmoid":
      return Math.min(Math.max(v * activation.alpha + activation.beta, 0), 1);
    case "hard_swish":
      return v * Math.min(Math.max(v / 6 + 0.5, 0), 1);
    case "silu":
      return v / (1 + Math.exp(-v));
    case "gelu":
      return v * (1 + erf(v / Math.SQRT2)) / 2;
    case "quick_gelu":
      return v / (1 + Math.exp(-1.702 * v));
  }
}
