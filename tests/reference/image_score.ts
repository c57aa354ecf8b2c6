/**
 * Scores by brute force in float64.
 *
 * @module
 */

/** What a score is, as in the settings. */
export interface Options {
  /** What the scores are made of. */
  readonly distance: "euclidean" | "squared";
  /** Rows whose mean distance is a patch score. */
  readonly neighbours: number;
  /** Rows of Eq. 7, the nearest one included; below 2: none. */
  readonly reweight: number;
}

/** Scores of one image. */
export interface ImageScore {
  /** Score of each patch. */
  readonly patchScores: number[];
  /** The image's score. */
  readonly score: number;
  /** The patch with the largest score. */
  readonly worst: number;
  /** The bank row nearest to it. */
  readonly nearest: number;
  /** The weight of Eq. 7; 1 when there is none. */
  readonly weight: number;
}

/** Scores of one image's patches `[patches, dim]` against a bank. */
export function imageScore(
  patches: readonly ArrayLike<number>[],
  bank: readonly ArrayLike<number>[],
  { distance, neighbours, reweight }: Options,
): ImageScore {
  const found = patches.map((patch) => nearestRows(patch, bank));
  const patchScores = found.map((rows) => {
    const used = rows.slice(0, neighbours).map(({ squared }) =>
      distance === "squared" ? squared : Math.sqrt(squared)
    );
    return used.reduce((sum, value) => sum + value) / used.length;
  });
  const largest = Math.max(...patchScores);
  const worst = patchScores.indexOf(largest);
  const nearest = found[worst]![0]!.row;
  const weight = reweight < 2 || bank.length < 2
    ? 1
    : eq7(patches[worst]!, bank, nearest, reweight);
  return { patchScores, score: weight * largest, worst, nearest, weight };
}

/** 1 − softmax(distances)[nearest] over the neighbourhood of `nearest`. */
export function eq7(
  patch: ArrayLike<number>,
  bank: readonly ArrayLike<number>[],
  nearest: number,
  b: number,
): number {
  const distances = nearestRows(bank[nearest]!, bank).slice(0, b)
    .map(({ row }) => Math.sqrt(squaredDistance(patch, bank[row]!)));
  const own = Math.sqrt(squaredDistance(patch, bank[nearest]!));
  const most = Math.max(...distances);
  const total = distances.reduce((sum, d) => sum + Math.exp(d - most), 0);
  return 1 - Math.exp(own - most) / total;
}

function nearestRows(
  query: ArrayLike<number>,
  bank: readonly ArrayLike<number>[],
): { row: number; squared: number }[] {
  return bank.map((values, row) => ({
    row,
    squared: squaredDistance(query, values),
  })).sort((a, b) => a.squared - b.squared || a.row - b.row);
}

function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}
