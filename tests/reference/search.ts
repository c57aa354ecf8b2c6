/** Neighbours of queries, row-major `[queries, k]`. */
export interface Neighbours {
  /** Squared distances, ascending; Infinity where there are fewer than k. */
  readonly squaredDistances: Float64Array;
  /** Bank rows; −1 where there are fewer than k. */
  readonly indices: Int32Array;
}

/** Images of queries and bank rows whose pairs are left out. */
export interface Exclusion {
  /** Image of each query. */
  readonly queries: ArrayLike<number>;
  /** Image of each bank row; with 2³¹ added: whose queries alone find it. */
  readonly bank: ArrayLike<number>;
}

/** Squared Euclidean distance of row i of a and row j of b, in float64. */
export function squaredDistance(
  a: ArrayLike<number>,
  i: number,
  b: ArrayLike<number>,
  j: number,
  dim: number,
): number {
  let sum = 0;
  for (let k = 0; k < dim; k++) {
    sum += (a[i * dim + k]! - b[j * dim + k]!) ** 2;
  }
  return sum;
}

function isLeftOut(query: number, row: number): boolean {
  return row >= 2 ** 31 ? row - 2 ** 31 !== query : row === query;
}

/** The k nearest bank rows of each query by full search; ties to the lowest index. */
export function nearestNeighbours(
  queries: ArrayLike<number>,
  bank: ArrayLike<number>,
  dim: number,
  k: number,
  exclusion?: Exclusion,
): Neighbours {
  const count = queries.length / dim;
  const rows = bank.length / dim;
  const squaredDistances = new Float64Array(count * k).fill(Infinity);
  const indices = new Int32Array(count * k).fill(-1);
  for (let q = 0; q < count; q++) {
    const found: [number, number][] = [];
    for (let row = 0; row < rows; row++) {
      if (exclusion && isLeftOut(exclusion.queries[q]!, exclusion.bank[row]!)) {
        continue;
      }
      found.push([squaredDistance(queries, q, bank, row, dim), row]);
    }
    found.sort(([d, i], [e, j]) => d - e || i - j);
    found.slice(0, k).forEach(([distance, row], i) => {
      squaredDistances[q * k + i] = distance;
      indices[q * k + i] = row;
    });
  }
  return { squaredDistances, indices };
}
