/**
 * PaDiM in float64, straight from its definition.
 *
 * @module
 */

/** Features `[images][positions][dims]`. */
export type Features = readonly (readonly ArrayLike<number>[])[];

/** Mahalanobis distances `[images][positions]` of `test` to Gaussians of `train`. */
export function padimDistances(
  train: Features,
  test: Features,
  dims: readonly number[],
  ridge = 0.01,
): Float64Array[] {
  const positions = train[0]!.length;
  const result = test.map(() => new Float64Array(positions));
  for (let p = 0; p < positions; p++) {
    const rows = train.map((image) => dims.map((d) => image[p]![d]!));
    const mean = dims.map((_, d) =>
      rows.reduce((sum, row) => sum + row[d]!, 0) / rows.length
    );
    const matrix = dims.map((_, i) =>
      dims.map((_, j) =>
        rows.reduce(
            (sum, row) => sum + (row[i]! - mean[i]!) * (row[j]! - mean[j]!),
            0,
          ) / Math.max(1, rows.length - 1) + (i === j ? ridge : 0)
      )
    );
    const factor = choleskyFactor(matrix);
    test.forEach((image, n) => {
      const difference = dims.map((d, i) => image[p]![d]! - mean[i]!);
      const y = forwardSubstitution(factor, difference);
      result[n]![p] = Math.sqrt(y.reduce((sum, v) => sum + v * v, 0));
    });
  }
  return result;
}

/** The lower triangular L with L Lᵀ = `matrix`. */
export function choleskyFactor(
  matrix: readonly (readonly number[])[],
): number[][] {
  const factor = matrix.map(() => new Array<number>(matrix.length).fill(0));
  matrix.forEach((row, i) => {
    for (let j = 0; j <= i; j++) {
      let value = row[j]!;
      for (let k = 0; k < j; k++) value -= factor[i]![k]! * factor[j]![k]!;
      factor[i]![j] = i === j ? Math.sqrt(value) : value / factor[j]![j]!;
    }
  });
  return factor;
}

/** The y with L y = b. */
export function forwardSubstitution(
  factor: readonly (readonly number[])[],
  b: readonly number[],
): number[] {
  const y: number[] = [];
  b.forEach((value, i) => {
    let rest = value;
    for (let k = 0; k < i; k++) rest -= factor[i]![k]! * y[k]!;
    y.push(rest / factor[i]![i]!);
  });
  return y;
}
