/** Outputs of a block, as the kernels that read a {@linkcode BandTable} have it. */
const BLOCK = 8;

/**
 * A matrix `[outputs, points]` whose rows are zero but for a band, in blocks of
 * 8 rows that share their points: what a kernel reads to resample an axis.
 */
export interface BandTable {
  /** Four numbers a block: first point, points, index of the first weight / 4, 0. */
  readonly blocks: Uint32Array<ArrayBuffer>;
  /** Eight weights, one for each output of the block, for each of its points. */
  readonly weights: Float32Array<ArrayBuffer>;
}

/**
 * Makes a table of a banded matrix.
 *
 * @param points Columns of the matrix.
 * @param outputs Rows of the matrix.
 * @param terms Calls `add` for every weight of a row; weights of one point add
 * up, in float64.
 */
export function bandTable(
  points: number,
  outputs: number,
  terms: (
    output: number,
    add: (point: number, weight: number) => void,
  ) => void,
): BandTable {
  const count = Math.ceil(outputs / BLOCK);
  const blocks = new Uint32Array(count * 4);
  const weights: number[] = [];
  for (let block = 0; block < count; block++) {
    const matrix = new Float64Array(points * BLOCK);
    const end = Math.min(outputs, (block + 1) * BLOCK);
    for (let output = block * BLOCK; output < end; output++) {
      terms(output, (point, weight) => {
        matrix[point * BLOCK + output % BLOCK]! += weight;
      });
    }
    const pointOf = (index: number) => Math.floor(index / BLOCK);
    const first = pointOf(matrix.findIndex((weight) => weight !== 0));
    const last = pointOf(matrix.findLastIndex((weight) => weight !== 0));
    blocks.set([first, last - first + 1, weights.length / 4], block * 4);
    for (let i = first * BLOCK; i < (last + 1) * BLOCK; i++) {
      weights.push(matrix[i]!);
    }
  }
  return { blocks, weights: new Float32Array(weights) };
}
