/** Deciles: ten bins of equal shares of the training images. */
const BINS = 10;

/** Fewer training scores make no deciles. */
const FEWEST_TRAINED = 20;

/** Fewer recent scores say nothing. */
export const FEWEST_RECENT = 100;

/**
 * From this index on a distribution has shifted a little. The usual limits of
 * credit scoring: N. Siddiqi, Credit Risk Scorecards, Wiley 2006.
 */
export const SHIFTED = 0.1;

/** From this index on it is another one: the same source. */
export const ANOTHER = 0.25;

/** Standard normal quantile of 0.999: one in a thousand is taken for chance. */
const Z = 3.0902;

/** What recent scores are compared with. */
export interface ScoreReference {
  /** Training images that it was made from. */
  readonly images: number;
  /** Upper ends of all bins but the last, ascending. */
  readonly edges: readonly number[];
  /** Share of the training images in each bin. */
  readonly shares: readonly number[];
}

/**
 * The distribution of scores that good parts had in training.
 *
 * @param trainScores Scores of the training images, each held out; NaN where one
 * is not known.
 * @param limit Score from which on an image is not normal: recent scores are
 * those of normal verdicts, so that only such training scores compare.
 * @returns Nothing where they are fewer than 20.
 */
export function scoreReference(
  trainScores: ArrayLike<number>,
  limit = Infinity,
): ScoreReference | undefined {
  const scores = Array.from(trainScores)
    .filter((score) => Number.isFinite(score) && score < limit)
    .sort((a, b) => a - b);
  if (scores.length < FEWEST_TRAINED) return undefined;
  const edges: number[] = [];
  for (let bin = 1; bin < BINS; bin++) {
    const edge = scores[Math.ceil(bin * scores.length / BINS) - 1]!;
    if (edge !== edges.at(-1)) edges.push(edge);
  }
  const counts = binCounts(edges, scores);
  return {
    images: scores.length,
    edges,
    shares: counts.map((count) => count / scores.length),
  };
}

/** How recent scores compare with those of training. */
export interface Shift {
  /** Population stability index: 0 where both are alike. */
  readonly index: number;
  /**
   * What it may be by chance, once in a thousand, given how few images both are.
   */
  readonly chance: number;
}

/**
 * How far recent scores are from those of training: the population stability
 * index, Σ (q − p) ln (q / p) over the bins, with half an image added to each so
 * that none is empty. What chance makes of it is χ² with as many degrees of
 * freedom as there are bins less one, times 1/n + 1/m: B. Yurdakul and
 * J. Naranjo, Statistical properties of the population stability index, Journal
 * of Risk Model Validation 14(4), 2020.
 *
 * @param reference The scores of training.
 * @param recent Scores of normal verdicts.
 * @returns Nothing where they are fewer than {@linkcode FEWEST_RECENT}.
 */
export function shiftOf(
  { images, edges, shares }: ScoreReference,
  recent: readonly number[],
): Shift | undefined {
  const m = recent.length;
  if (m < FEWEST_RECENT) return undefined;
  const bins = shares.length;
  const share = (count: number, of: number): number =>
    (count + 0.5) / (of + bins / 2);
  let index = 0;
  binCounts(edges, recent).forEach((count, bin) => {
    const p = share(shares[bin]! * images, images);
    const q = share(count, m);
    index += (q - p) * Math.log(q / p);
  });
  return { index, chance: chiSquare(bins - 1) * (1 / images + 1 / m) };
}

/**
 * The least share of images that explains so many of them, but for chance once
 * in a thousand: the lower end of Wilson's interval.
 */
export function leastShare(count: number, of: number): number {
  if (of === 0) return 0;
  const p = count / of;
  const half = Z * Math.sqrt(p * (1 - p) / of + Z * Z / (4 * of * of));
  return Math.max(0, (p + Z * Z / (2 * of) - half) / (1 + Z * Z / of));
}

function binCounts(
  edges: readonly number[],
  scores: readonly number[],
): number[] {
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const score of scores) {
    const bin = edges.findIndex((edge) => score <= edge);
    counts[bin < 0 ? edges.length : bin]!++;
  }
  return counts;
}

/** Quantile 0.999 of χ², as E. Wilson and M. Hilferty approximate it. */
function chiSquare(freedom: number): number {
  if (freedom === 0) return 0;
  const spread = 2 / (9 * freedom);
  return freedom * (1 - spread + Z * Math.sqrt(spread)) ** 3;
}
