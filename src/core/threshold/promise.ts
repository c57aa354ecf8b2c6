import { betaQuantile } from "./beta.ts";

/** Share of the scores, the largest ones, that make the tail. */
const TAIL = 0.4;

/** One score in so many may be odd: the largest are counted, not measured. */
const ODD = 10;

/** How likely the share of false alarms lies within what is expected. */
const CONFIDENCE = 0.95;

/** Values that a distribution is summed over. */
const STEPS = 200;

/** How a threshold follows from the scores of good images. */
export type PromiseRule =
  | {
    /** The scores' own quantile, exact whatever their distribution. */
    readonly kind: "order statistic";
    /** The place among the ascending scores, 1 the smallest. */
    readonly rank: number;
  }
  | {
    /** An exponential tail of the largest two fifths. */
    readonly kind: "exponential tail";
    /** The score where it begins. */
    readonly from: number;
    /** Scores above that. */
    readonly above: number;
    /** Those of them that were measured; the larger ones were only counted. */
    readonly measured: number;
    /** Their mean excess: how fast the tail falls. */
    readonly scale: number;
  };

/** A threshold that keeps false alarms to a promised rate. */
export interface PromisedThreshold {
  /** The score at and above which an image is anomalous. */
  readonly value: number;
  /** The promised share of good images that are called anomalous. */
  readonly rate: number;
  /** Scores it was made from. */
  readonly images: number;
  /** How it was made. */
  readonly rule: PromiseRule;
}

/**
 * The threshold that a new good image exceeds with the probability `rate`,
 * from the scores of good images that were not in the bank they were scored
 * against.
 *
 * Where there are scores enough, it is their order statistic (n + 1)(1 − rate),
 * as in conformal prediction; else the upper two fifths are taken for an
 * exponential tail. Its scale is the total time on test of a type II censored sample: the
 * largest tenth is counted but not measured, so that an odd image moves
 * nothing. What the scale is uncertain by is in the threshold, which makes the
 * promise exact for exponential tails.
 *
 * @param scores Distances; take roots of squared ones first, and square the
 * value.
 * @param rate From above 0 to below 1.
 * @returns The threshold; `undefined` when there are no two different scores, or
 * nothing is above a value that several images have.
 * @throws {RangeError} If the rate is not between 0 and 1 or a score is no
 * finite number.
 */
export function promisedThreshold(
  scores: ArrayLike<number>,
  rate: number,
): PromisedThreshold | undefined {
  if (!(rate > 0 && rate < 1)) {
    throw new RangeError(
      `Cannot promise false alarms at a rate of ${rate}: expected more than 0 and less than 1`,
    );
  }
  const sorted = Float64Array.from(scores).sort();
  const images = sorted.length;
  const strange = sorted.find((score) => !Number.isFinite(score));
  if (strange !== undefined) {
    throw new RangeError(
      `Cannot make a threshold from scores of which one is ${strange}`,
    );
  }
  if (images < 2 || sorted[0] === sorted[images - 1]) return undefined;
  const rank = (images + 1) * (1 - rate);
  const found = rank <= images ? byRank(sorted, rank) : byTail(sorted, rate);
  const value = aboveTies(sorted, found.value);
  return value === undefined ? undefined : { rate, images, ...found, value };
}

/**
 * A threshold that several scores equal would call all of them anomalous: the
 * next larger score is taken; there may be none.
 */
function aboveTies(sorted: Float64Array, value: number): number | undefined {
  const first = sorted.indexOf(value);
  const stands = first >= 0 && sorted[first + 1] === value;
  return stands ? sorted.find((score) => score > value) : value;
}

/**
 * Within what the share of good images that are called anomalous lies in 95 of
 * 100 fits, when {@linkcode promisedThreshold} keeps its promise on average. It
 * depends on the number of scores alone.
 *
 * @param images Scores that the threshold was made from, 2 or more.
 * @param rate The promised share.
 */
export function expectedFalseAlarms(
  images: number,
  rate: number,
): [low: number, high: number] {
  const rank = (images + 1) * (1 - rate);
  if (rank > images) return tailInterval(images, rate);
  const below = Math.max(1, rank);
  const above = images + 1 - below;
  const end = (1 - CONFIDENCE) / 2;
  return [
    betaQuantile(end, above, below),
    betaQuantile(1 - end, above, below),
  ];
}

type Found = Pick<PromisedThreshold, "value" | "rule">;

function byRank(sorted: Float64Array, place: number): Found {
  const rank = Math.max(1, place);
  const below = Math.floor(rank);
  const [lower, upper] = [sorted[below - 1]!, sorted[Math.ceil(rank) - 1]!];
  return {
    value: lower + (upper - lower) * (rank - below),
    rule: { kind: "order statistic", rank },
  };
}

function byTail(sorted: Float64Array, rate: number): Found {
  const images = sorted.length;
  const { above, measured, stretch } = tailOf(images, rate);
  const first = images - above;
  const from = sorted[first - 1]!;
  const largest = sorted[first + measured - 1]!;
  let total = (above - measured) * (largest - from);
  for (let i = 0; i < measured; i++) total += sorted[first + i]! - from;
  const scale = total / measured;
  return {
    value: from + total * stretch,
    rule: { kind: "exponential tail", from, above, measured, scale },
  };
}

/** Which scores are the tail, and how many times their sum reaches the rate. */
function tailOf(
  images: number,
  rate: number,
): { above: number; measured: number; stretch: number } {
  const above = Math.max(1, Math.floor(images * TAIL));
  const counted = Math.min(above - 1, Math.floor(images / ODD));
  const measured = above - counted;
  const share = (above + 1) / (images + 1);
  return { above, measured, stretch: (share / rate) ** (1 / measured) - 1 };
}

/**
 * The share above the threshold is P · exp(−stretch · Γ) if the tail is
 * exponential: P the share above the tail's beginning, a
 * Beta(above + 1, images − above) variable, Γ a gamma variable of the order
 * `measured`.
 */
function tailInterval(images: number, rate: number): [number, number] {
  const { above, measured, stretch } = tailOf(images, rate);
  const shares = Array.from(
    { length: STEPS },
    (_, i) => betaQuantile((i + 0.5) / STEPS, above + 1, images - above),
  );
  const chanceBelow = (share: number): number =>
    shares.reduce(
      (sum, p) => sum + gammaAbove(Math.log(p / share) / stretch, measured),
      0,
    ) / STEPS;
  const quantile = (chance: number): number => {
    let [low, high] = [0, 1];
    for (let i = 0; i < 50; i++) {
      const middle = (low + high) / 2;
      if (chanceBelow(middle) < chance) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  };
  return [quantile((1 - CONFIDENCE) / 2), quantile((1 + CONFIDENCE) / 2)];
}

/** P(Γ > x) of a gamma variable of a whole order: a Poisson variable below it. */
function gammaAbove(x: number, order: number): number {
  if (x <= 0) return 1;
  let term = -x;
  let sum = Math.exp(term);
  for (let i = 1; i < order; i++) {
    term += Math.log(x / i);
    sum += Math.exp(term);
  }
  return Math.min(1, sum);
}
