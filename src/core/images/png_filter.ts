/** Writes one filtered row; the row above is zeros for the first row. */
type Filter = (
  row: Uint8Array,
  above: Uint8Array,
  step: number,
  out: Uint8Array,
) => void;

const none: Filter = (row, _above, _step, out) => out.set(row);

const sub: Filter = (row, _above, step, out) => {
  for (let i = 0; i < row.length; i++) {
    out[i] = row[i]! - (i < step ? 0 : row[i - step]!);
  }
};

const up: Filter = (row, above, _step, out) => {
  for (let i = 0; i < row.length; i++) out[i] = row[i]! - above[i]!;
};

const average: Filter = (row, above, step, out) => {
  for (let i = 0; i < row.length; i++) {
    const left = i < step ? 0 : row[i - step]!;
    out[i] = row[i]! - ((left + above[i]!) >> 1);
  }
};

const paeth: Filter = (row, above, step, out) => {
  for (let i = 0; i < row.length; i++) {
    const left = i < step ? 0 : row[i - step]!;
    const corner = i < step ? 0 : above[i - step]!;
    out[i] = row[i]! - predict(left, above[i]!, corner);
  }
};

function predict(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/** In the order of their PNG filter type. */
const FILTERS: readonly Filter[] = [none, sub, up, average, paeth];

/**
 * Filters an image for PNG: each row by the filter that leaves the smallest
 * sum of absolute differences, as the PNG specification recommends.
 *
 * @param bytes The rows, without gaps.
 * @param stride Bytes of a row.
 * @param step Bytes of a pixel.
 * @returns The rows, each behind its filter type.
 */
export function filterRows(
  bytes: Uint8Array,
  stride: number,
  step: number,
): Uint8Array<ArrayBuffer> {
  const rows = bytes.length / stride;
  const filtered = new Uint8Array(rows * (1 + stride));
  let candidate = new Uint8Array(stride);
  let best = new Uint8Array(stride);
  let above = new Uint8Array(stride);
  for (let y = 0; y < rows; y++) {
    const row = bytes.subarray(y * stride, (y + 1) * stride);
    let type = 0;
    let least = Infinity;
    FILTERS.forEach((filter, i) => {
      filter(row, above, step, candidate);
      const cost = sumOfDifferences(candidate, least);
      if (cost >= least) return;
      least = cost;
      type = i;
      [candidate, best] = [best, candidate];
    });
    filtered[y * (1 + stride)] = type;
    filtered.set(best, y * (1 + stride) + 1);
    above = row as Uint8Array<ArrayBuffer>;
  }
  return filtered;
}

function sumOfDifferences(row: Uint8Array, limit: number): number {
  let sum = 0;
  for (let i = 0; i < row.length && sum < limit; i++) {
    const value = row[i]!;
    sum += value < 128 ? value : 256 - value;
  }
  return sum;
}
