/**
 * First principal components and masks of the foreground, in float64.
 *
 * @module
 */

/**
 * Projections of rows onto the direction of their largest variance, whose
 * largest loading is positive. The direction by Jacobi's rotations of the whole
 * covariance: no iteration that could stop early.
 *
 * @param rows `[count, dim]`, row-major.
 */
export function firstComponents(
  rows: ArrayLike<number>,
  dim: number,
): Float64Array {
  const count = rows.length / dim;
  const mean = new Float64Array(dim);
  for (let i = 0; i < rows.length; i++) mean[i % dim]! += rows[i]! / count;
  const centred = Float64Array.from(rows, (x, i) => x - mean[i % dim]!);
  const covariance = Array.from(
    { length: dim },
    (_, a) =>
      Float64Array.from({ length: dim }, (_, b) => {
        let sum = 0;
        for (let row = 0; row < count; row++) {
          sum += centred[row * dim + a]! * centred[row * dim + b]!;
        }
        return sum;
      }),
  );
  const vector = largestEigenvector(covariance);
  return Float64Array.from({ length: count }, (_, row) => {
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += centred[row * dim + d]! * vector[d]!;
    return sum;
  });
}

function largestEigenvector(a: readonly Float64Array[]): Float64Array {
  const n = a.length;
  const v = Array.from(
    { length: n },
    (_, i) => Float64Array.from({ length: n }, (_, j) => Number(i === j)),
  );
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const off = a[p]![q]!;
        if (Math.abs(off) < 1e-300) continue;
        const theta = (a[q]![q]! - a[p]![p]!) / (2 * off);
        const t = Math.sign(theta || 1) /
          (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < n; k++) {
          const [x, y] = [a[k]![p]!, a[k]![q]!];
          a[k]![p] = c * x - s * y;
          a[k]![q] = s * x + c * y;
        }
        for (let k = 0; k < n; k++) {
          const [x, y] = [a[p]![k]!, a[q]![k]!];
          a[p]![k] = c * x - s * y;
          a[q]![k] = s * x + c * y;
          const [u, w] = [v[k]![p]!, v[k]![q]!];
          v[k]![p] = c * u - s * w;
          v[k]![q] = s * u + c * w;
        }
      }
    }
  }
  let best = 0;
  for (let i = 1; i < n; i++) if (a[i]![i]! > a[best]![best]!) best = i;
  const vector = Float64Array.from(v, (row) => row[best]!);
  const largest = vector.reduce((x, y) => Math.abs(y) > Math.abs(x) ? y : x);
  return vector.map((x) => largest < 0 ? -x : x);
}

/** Patches of the part `[height · width]`: 1, the others 0. */
export function foregroundOf(
  components: ArrayLike<number>,
  [height, width]: readonly [number, number],
  { threshold, line }: { readonly threshold: number; readonly line: boolean },
): number[] {
  const above = (sign: number) =>
    Array.from(components, (x) => Number(sign * x > threshold));
  const [top, bottom] = [Math.trunc(height * 0.2), Math.trunc(height * 0.8)];
  const [left, right] = [Math.trunc(width * 0.2), Math.trunc(width * 0.8)];
  const middle = above(1).filter((_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    return row >= top && row < bottom && column >= left && column < right;
  });
  const set = middle.reduce((sum, x) => sum + x, 0);
  const chosen = set <= middle.length * 0.35 ? above(-1) : above(1);
  const size: [number, number] = line ? [chosen.length, 1] : [height, width];
  const dilated = morph(chosen, size, 0, Math.max);
  return morph(morph(dilated, size, 0, Math.max), size, 1, Math.min);
}

function morph(
  mask: readonly number[],
  [height, width]: readonly [number, number],
  beyond: number,
  pick: (...values: number[]) => number,
): number[] {
  return mask.map((_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    const around: number[] = [];
    for (const y of [row - 1, row, row + 1]) {
      for (const x of [column - 1, column, column + 1]) {
        const isInside = y >= 0 && y < height && x >= 0 && x < width;
        around.push(isInside ? mask[y * width + x]! : beyond);
      }
    }
    return pick(...around);
  });
}
