/**
 * The largest squared length of a row that can be compared: of two such rows the
 * squared distance is at most 4·10³⁶, where float32 ends at 3.4·10³⁸.
 */
const MAX_SQUARED_LENGTH = 1e36;

/** Whether distances to a row of that squared length are numbers; NaN's are not. */
export function isComparable(squaredLength: number): boolean {
  return squaredLength <= MAX_SQUARED_LENGTH;
}

/**
 * The first row that cannot be compared: an element is not finite, or the row is
 * so long that distances to it overflow.
 *
 * @param data Row-major.
 * @param dim Elements of a row.
 * @returns Its index, and one of its elements: the first that is not finite, or
 * the largest. `undefined` where every row can be compared.
 */
export function incomparableRow(
  data: Float32Array,
  dim: number,
): { readonly row: number; readonly value: number } | undefined {
  for (let first = 0; first < data.length; first += dim) {
    const values = data.subarray(first, first + dim);
    let sum = 0;
    for (const value of values) sum += value * value;
    if (isComparable(sum)) continue;
    const value = values.find((x) => !Number.isFinite(x)) ??
      values.reduce((a, b) => Math.abs(b) > Math.abs(a) ? b : a);
    return { row: first / dim, value };
  }
  return undefined;
}
