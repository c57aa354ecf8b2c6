import { paddedCodewords } from "../../wgsl/kmeans.ts";

/** Rows a list should have at least, as FAISS asks for its centroids. */
const ROWS_PER_LIST = 39;

/** Codes are bytes. */
const MOST_CODEWORDS = 256;

/** Options of an IVFPQ index. */
export interface IvfPqOptions {
  /** Inverted lists at most, 512 by default. */
  readonly lists?: number;
  /** Sub-quantisers at most, 64 by default. */
  readonly subQuantisers?: number;
  /** Rows that lists and codebooks are trained on at most, 32,768 by default. */
  readonly trainRows?: number;
  /** Rounds of k-means, 10 by default. */
  readonly iterations?: number;
  /** Seed of the training rows and of the first codewords, 0 by default. */
  readonly seed?: number;
  /** Called with the steps done and in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What an IVFPQ index of given size looks like, known before any work. */
export interface IvfPqPlan {
  /**
   * Inverted lists: as asked for, but one for 39 rows at most, so that a bank
   * of 2,000 rows has 51 and one of 20,000 or more has 512.
   */
  readonly lists: number;
  /** Sub-quantisers: the largest multiple of 4 that divides the dimension. */
  readonly subs: number;
  /** Codewords of a sub-quantiser: 256, or the training rows if fewer. */
  readonly codewords: number;
  /** Rows that lists and codebooks are trained on. */
  readonly trainRows: number;
  /** Rows that are encoded at once. */
  readonly blockRows: number;
  /** Bytes of the index next to the bank, which it needs for exact distances. */
  readonly indexBytes: number;
  /** The most bytes that building takes, the index included. */
  readonly buildBytes: number;
}

/**
 * Plans an IVFPQ index.
 *
 * @param rows Rows of the bank.
 * @param dim Elements of a row, a multiple of 4.
 * @param maxTensorBytes The most bytes the adapter binds at once.
 * @throws {RangeError} If an option is not allowed.
 */
export function planIvfPq(
  rows: number,
  dim: number,
  options: IvfPqOptions,
  maxTensorBytes: number,
): IvfPqPlan {
  const { lists = 512, subQuantisers = 64, trainRows = 32_768 } = options;
  const { iterations = 10 } = options;
  for (
    const [name, value, least] of [
      ["lists", lists, 1],
      ["subQuantisers", subQuantisers, 4],
      ["trainRows", trainRows, 1],
      ["iterations", iterations, 1],
      ["rows", rows, 1],
    ] as const
  ) {
    if (Number.isInteger(value) && value >= least) continue;
    throw new RangeError(
      `Cannot build an IVFPQ index: ${name} must be an integer of at least ${least}: current value is ${value}`,
    );
  }
  let subs = Math.min(subQuantisers - subQuantisers % 4, dim);
  while (dim % subs !== 0) subs -= 4;
  const bound = Math.floor(maxTensorBytes / (4 * Math.max(dim, subs)));
  const used = Math.min(rows, trainRows, bound);
  const listCount = Math.max(
    1,
    Math.min(lists, Math.floor(rows / ROWS_PER_LIST), used),
  );
  const codewords = Math.min(MOST_CODEWORDS, used);
  const blockRows = Math.min(rows, 8192, bound);
  const paddedLists = paddedCodewords(listCount);
  const indexBytes = 4 * (rows * (2 + subs / 4) + 2 * listCount + 1 +
    paddedLists * dim + paddedCodewords(codewords) * dim);
  const trainBytes = 4 * used * (2 * dim + 2 * subs + 3);
  const blockBytes = 4 * blockRows * (dim + subs + 1);
  return {
    lists: listCount,
    subs,
    codewords,
    trainRows: used,
    blockRows,
    indexBytes,
    buildBytes: indexBytes + Math.max(trainBytes, blockBytes),
  };
}
