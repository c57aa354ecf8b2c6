/**
 * Inverted lists of product-quantised residuals in float64: Lloyd's algorithm,
 * encoding and asymmetric distances from their definitions.
 *
 * @module
 */
import { choice, Mt19937 } from "../../src/core/settings/random.ts";

/** Rows of numbers. */
export type Matrix = readonly (readonly number[])[];

/** How the index is trained. */
export interface IvfPqReferenceOptions {
  /** Inverted lists. */
  readonly lists: number;
  /** Sub-quantisers. */
  readonly subs: number;
  /** Codewords of each. */
  readonly codewords: number;
  /** Rows trained on. */
  readonly trainRows: number;
  /** Rounds of k-means. */
  readonly iterations: number;
  /** Seed. */
  readonly seed: number;
}

/** A trained index with the rows it encodes. */
export interface IvfPqReference {
  /** Centroids of the lists. */
  readonly centroids: Matrix;
  /** Codebooks, one for each sub-quantiser. */
  readonly codebooks: readonly Matrix[];
  /** List of each row. */
  readonly rowLists: readonly number[];
  /** Each row as its codes have it. */
  readonly decoded: Matrix;
}

/** Squared distance of two vectors. */
export function squared(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0);
}

/** Index of the nearest vector, ties to the lowest. */
export function nearest(x: readonly number[], among: Matrix): number {
  let best = 0;
  among.forEach((c, i) => {
    if (squared(x, c) < squared(x, among[best]!)) best = i;
  });
  return best;
}

/** Lloyd's algorithm from given rows; an empty cluster splits the largest. */
export function kmeans(
  rows: Matrix,
  first: readonly number[],
  iterations: number,
): number[][] {
  let centres = first.map((i) => [...rows[i]!]);
  for (let round = 0; round < iterations; round++) {
    const codes = rows.map((row) => nearest(row, centres));
    centres.forEach((_, code) => {
      if (codes.includes(code)) return;
      const sizes = centres.map((_, c) => codes.filter((x) => x === c).length);
      const largest = sizes.indexOf(Math.max(...sizes));
      if (sizes[largest]! < 2) return;
      const members = [...codes.keys()].filter((i) => codes[i] === largest);
      members.filter((_, i) => i % 2 === 1).forEach((i) => codes[i] = code);
    });
    centres = centres.map((centre, code) => {
      const members = rows.filter((_, i) => codes[i] === code);
      return members.length === 0
        ? centre
        : centre.map((_, d) =>
          members.reduce((sum, row) => sum + row[d]!, 0) / members.length
        );
    });
  }
  return centres;
}

/** Trains an index and encodes all rows. */
export function trainIvfPq(
  rows: Matrix,
  options: IvfPqReferenceOptions,
): IvfPqReference {
  const { lists, subs, codewords, trainRows, iterations } = options;
  const random = new Mt19937(options.seed);
  const sample = [...choice(random, rows.length, trainRows).sort()]
    .map((i) => rows[i]!);
  const dims = rows[0]!.length / subs;
  const centroids = kmeans(
    sample,
    [...choice(random, trainRows, lists)],
    iterations,
  );
  const residual = (row: readonly number[], list: number): number[] =>
    row.map((x, d) => x - centroids[list]![d]!);
  const residuals = sample.map((row) => residual(row, nearest(row, centroids)));
  const first = [...choice(random, trainRows, codewords)];
  const part = (row: readonly number[], sub: number): number[] =>
    row.slice(sub * dims, (sub + 1) * dims);
  const codebooks = Array.from(
    { length: subs },
    (_, sub) => kmeans(residuals.map((r) => part(r, sub)), first, iterations),
  );
  const rowLists = rows.map((row) => nearest(row, centroids));
  const decoded = rows.map((row, i) => {
    const rest = residual(row, rowLists[i]!);
    const coded = codebooks.flatMap((book, sub) =>
      book[nearest(part(rest, sub), book)]!
    );
    return coded.map((x, d) => x + centroids[rowLists[i]!]![d]!);
  });
  return { centroids, codebooks, rowLists, decoded };
}

/** The row whose decoded form is nearest among the `probes` nearest lists. */
export function searchIvfPq(
  { centroids, rowLists, decoded }: IvfPqReference,
  query: readonly number[],
  probes: number,
): number {
  const probed = [...centroids.keys()]
    .filter((list) => rowLists.includes(list))
    .sort((a, b) =>
      squared(query, centroids[a]!) - squared(query, centroids[b]!) || a - b
    )
    .slice(0, probes);
  let best = -1;
  decoded.forEach((row, i) => {
    if (!probed.includes(rowLists[i]!)) return;
    if (best < 0 || squared(query, row) < squared(query, decoded[best]!)) {
      best = i;
    }
  });
  return best;
}
