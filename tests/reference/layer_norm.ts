/**
 * LayerNormalization of rows in float64.
 *
 * @param x `[rows, gamma.length]`
 * @returns The same shape.
 */
export function layerNorm(
  x: ArrayLike<number>,
  gamma: ArrayLike<number>,
  beta: ArrayLike<number>,
  epsilon: number,
): Float64Array {
  const width = gamma.length;
  const y = new Float64Array(x.length);
  for (let from = 0; from < x.length; from += width) {
    let mean = 0;
    for (let c = 0; c < width; c++) mean += x[from + c]! / width;
    let variance = 0;
    for (let c = 0; c < width; c++) variance += (x[from + c]! - mean) ** 2;
    const scale = 1 / Math.sqrt(variance / width + epsilon);
    for (let c = 0; c < width; c++) {
      y[from + c] = (x[from + c]! - mean) * scale * gamma[c]! + beta[c]!;
    }
  }
  return y;
}
