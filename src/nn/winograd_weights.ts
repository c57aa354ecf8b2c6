import { roundUp } from "../wgsl/grid.ts";

/** The points but 0 and ∞, as in `winograd_input.wgsl`: ±3/4 and ±3/2. */
const [NEAR, FAR] = [3 / 4, 3 / 2];

/** G of Winograd F(4×4, 3×3), Lavin & Gray 2016: 6 rows of 3. */
const G = Float64Array.of(
  ...[1 / (NEAR * FAR) ** 2, 0, 0],
  ...rowsOf(NEAR, FAR),
  ...rowsOf(FAR, NEAR),
  ...[0, 0, 1],
);

/** Outputs that are transformed together: what a cache line of `U` holds. */
const BLOCK = 16;

/** G's rows of a point and its opposite. */
function rowsOf(point: number, other: number): number[] {
  const scale = 1 / (2 * point ** 2 * (point ** 2 - other ** 2));
  return [point, -point].flatMap((p) => [scale, p * scale, p ** 2 * scale]);
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
  const plane = inputStride * outputStride;
  const left = new Float64Array(18);
  for (let block = 0; block < outputs; block += BLOCK) {
    const end = Math.min(outputs, block + BLOCK);
    for (let c = 0; c < inputs; c++) {
      for (let o = block; o < end; o++) {
        multiplyLeft(weights, (o * inputs + c) * 9, left);
        let to = c * outputStride + o;
        for (let i = 0; i < 18; i += 3) {
          for (let j = 0; j < 18; j += 3) {
            packed[to] = left[i] * G[j] + left[i + 1] * G[j + 1] +
              left[i + 2] * G[j + 2];
            to += plane;
          }
        }
      }
    }
  }
  return packed;
}

/** `G g` of one kernel. */
function multiplyLeft(
  weights: Float32Array,
  from: number,
  product: Float64Array,
): void {
  for (let i = 0; i < 18; i += 3) {
    for (let x = 0; x < 3; x++) {
      product[i + x] = G[i] * weights[from + x] +
        G[i + 1] * weights[from + 3 + x] + G[i + 2] * weights[from + 6 + x];
    }
  }
}
