import { roundUp } from "../wgsl/grid.ts";

type Row = readonly [number, number, number];

/** The points but 0 and ∞, as in `winograd_input.wgsl`: ±3/4 and ±3/2. */
const [NEAR, FAR] = [3 / 4, 3 / 2];

/** G of Winograd F(4×4, 3×3), Lavin & Gray 2016. */
const G: readonly Row[] = [
  [1 / (NEAR * FAR) ** 2, 0, 0],
  ...rowsOf(NEAR, FAR),
  ...rowsOf(FAR, NEAR),
  [0, 0, 1],
];

/** G's rows of a point and its opposite. */
function rowsOf(point: number, other: number): Row[] {
  const scale = 1 / (2 * point ** 2 * (point ** 2 - other ** 2));
  return [point, -point].map((p) => [scale, p * scale, p ** 2 * scale]);
}

/**
 * Transforms 3 × 3 weights to `U = G g Gᵀ`, in float64.
 *
 * @param weights `[O, C, 3, 3]`, ONNX order.
 * @param shape Those four sizes.
 * @returns `[36, 4·⌈C/4⌉, 4·⌈O/4⌉]` with zeros as padding.
 */
export function winogradWeights(
  weights: Float32Array,
  [outputs, inputs]: readonly number[],
): Float32Array<ArrayBuffer> {
  const inputStride = roundUp(inputs, 4);
  const outputStride = roundUp(outputs, 4);
  const packed = new Float32Array(36 * inputStride * outputStride);
  const left = new Float64Array(18);
  for (let o = 0; o < outputs; o++) {
    for (let c = 0; c < inputs; c++) {
      const from = (o * inputs + c) * 9;
      for (let i = 0; i < 6; i++) {
        const [g0, g1, g2] = G[i];
        for (let x = 0; x < 3; x++) {
          left[i * 3 + x] = g0 * weights[from + x] +
            g1 * weights[from + 3 + x] + g2 * weights[from + 6 + x];
        }
      }
      for (let i = 0; i < 6; i++) {
        for (let j = 0; j < 6; j++) {
          const [g0, g1, g2] = G[j];
          packed[((i * 6 + j) * inputStride + c) * outputStride + o] =
            left[i * 3] * g0 + left[i * 3 + 1] * g1 + left[i * 3 + 2] * g2;
        }
      }
    }
  }
  return packed;
}
