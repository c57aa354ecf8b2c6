/** Rate at which the number of large scores is judged. */
const RATE = 0.05;

/** Standard deviations by which too many scores are large. */
const TOO_MANY = 2.5;

/** Chance that a set of good images alone names one of them. */
const ALONE = 0.02;

/** A larger share is a second kind of part rather than odd images. */
const MOST = 0.15;

/** The fewest scores that have quartiles. */
const FEWEST = 4;

/** Which images look unlike the others. */
export interface OddScores {
  /** Places of the odd scores, the largest score first. */
  readonly odd: readonly number[];
  /**
   * Whether large scores are more than 15 %: not odd images, but a second kind
   * of part, say. None of them is odd then unless it stands out alone.
   */
  readonly secondKind: boolean;
}

/**
 * Finds images among the good ones that look defective: their scores are larger
 * than the others' lead to expect.
 *
 * The others are taken for a Gumbel distribution (a score is the largest of
 * many) through the quartiles, which a tenth of odd images hardly moves. A score
 * stands out alone when not one of fifty such sets has one as large. Many
 * are odd together when more of them lie above the distribution's 0.95 quantile
 * than chance allows (2.5 standard deviations); then their share is what is left
 * unexplained, found anew with the quartiles of the rest until it grows no more.
 *
 * @param scores Of images that were not in the bank they were scored against.
 */
export function oddScores(scores: ArrayLike<number>): OddScores {
  const values = Float64Array.from(scores);
  const sorted = values.toSorted();
  const count = sorted.length;
  if (count < FEWEST || !(spreadOf(sorted, 0) > 0)) {
    return { odd: [], secondKind: false };
  }
  const above = (level: number): number =>
    sorted.reduce((sum, score) => sum + Number(score > level), 0);
  const alone = above(levelOf(sorted, ALONE / count, 0));
  const share = shareTogether(
    count,
    (odd) => above(levelOf(sorted, RATE, odd)),
  );
  const secondKind = share > MOST;
  const odd = Math.max(alone, secondKind ? 0 : Math.round(share * count));
  return {
    odd: Array.from(values.keys())
      .sort((a, b) => values[b]! - values[a]! || a - b)
      .slice(0, odd),
    secondKind,
  };
}

/**
 * Finds the odd images in several kinds of scores of the same images: those that
 * are odd in any of them, the oddest of each kind first.
 *
 * @param kinds Image scores and the largest pixels of maps, as a rule.
 */
export function oddImages(...kinds: readonly ArrayLike<number>[]): OddScores {
  const found = kinds.map(oddScores);
  const most = Math.max(0, ...found.map(({ odd }) => odd.length));
  const odd = new Set<number>();
  for (let i = 0; i < most; i++) {
    for (const kind of found) if (i < kind.odd.length) odd.add(kind.odd[i]!);
  }
  return {
    odd: [...odd],
    secondKind: found.some(({ secondKind }) => secondKind),
  };
}

/** The share of odd scores, 0 where chance explains as many. */
function shareTogether(
  count: number,
  above: (odd: number) => number,
): number {
  const chance = RATE * count + TOO_MANY * Math.sqrt(count * RATE * (1 - RATE));
  if (above(0) < chance) return 0;
  let share = 0;
  for (;;) {
    const next = (above(share) / count - RATE) / (1 - RATE);
    if (!(next > share)) return share;
    share = next;
    if (share > MOST) return share;
  }
}

/**
 * The score that the share `rate` of good images exceeds, when the largest
 * `odd` of the scores are not of good ones.
 */
function levelOf(sorted: Float64Array, rate: number, odd: number): number {
  const middle = quantile(sorted, 0.5 * (1 - odd));
  return middle + spreadOf(sorted, odd) * (gumbel(1 - rate) - gumbel(0.5));
}

/** Scale of the Gumbel distribution through the quartiles. */
function spreadOf(sorted: Float64Array, odd: number): number {
  const lower = quantile(sorted, 0.25 * (1 - odd));
  const upper = quantile(sorted, 0.75 * (1 - odd));
  return (upper - lower) / (gumbel(0.75) - gumbel(0.25));
}

/** Quantile of the standard Gumbel distribution. */
function gumbel(share: number): number {
  return -Math.log(-Math.log(share));
}

/** The order statistic share · (n + 1), linear between neighbours. */
function quantile(sorted: Float64Array, share: number): number {
  const { length } = sorted;
  const place = Math.min(length, Math.max(1, share * (length + 1))) - 1;
  const below = Math.floor(place);
  const [lower, upper] = [sorted[below]!, sorted[Math.ceil(place)]!];
  return lower + (upper - lower) * (place - below);
}
