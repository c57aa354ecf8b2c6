import type { StoredThreshold } from "../model/stored_model.ts";
import type { ThresholdSettings } from "../settings/settings.ts";
import { storedThreshold } from "./calibrate.ts";

/** Training images that are told of. */
const ODDEST = 5;

/** Fewer images say nothing of whether neighbours are alike. */
const FEWEST = 8;

/** Standard deviations above 0 of a correlation that chance does not explain. */
const NO_CHANCE = 2.5;

/** What a model's training images are known by. */
export interface TrainingScoring {
  /** Scores as if they had not been trained on; NaN where one is not known. */
  readonly trainScores: ArrayLike<number>;
  /** Their names. */
  readonly imageNames: readonly string[];
  /** The threshold that came of it. */
  readonly threshold?: StoredThreshold | undefined;
  /** How thresholds follow from scores. */
  readonly settings: ThresholdSettings;
  /** Whether scores are squared distances. */
  readonly isSquared: boolean;
}

/** A training image that is unlike the others. */
export interface OddestImage {
  /** Its place among the training images. */
  readonly place: number;
  /** Its name. */
  readonly name: string;
  /** Its score. */
  readonly score: number;
  /** Whether it looks so unlike the others that it did not count. */
  readonly isOdd: boolean;
  /**
   * The threshold without it, or with it where it did not count; `undefined`
   * where the threshold has not come about from these scores.
   */
  readonly otherwise: number | undefined;
}

/** What training images say of a model. */
export interface Lessons {
  /** Images that have a score. */
  readonly scored: number;
  /** Quantiles 0.05, 0.5 and 0.95 of their scores, and the largest. */
  readonly spread: {
    readonly low: number;
    readonly median: number;
    readonly high: number;
    readonly largest: number;
  } | undefined;
  /** The promised share of false alarms, and within what it is expected. */
  readonly falseAlarms: {
    readonly rate: number;
    readonly low: number;
    readonly high: number;
  } | undefined;
  /** The oddest images, those that did not count first. */
  readonly oddest: readonly OddestImage[];
  /** How many did not count. */
  readonly odd: number;
  /**
   * Correlation of the scores of images that follow each other, where it is
   * larger than chance explains: they may be shots of one part.
   */
  readonly alike: number | undefined;
}

/**
 * What the scores of training images say: of a fit that is done as of a model
 * that was stored.
 *
 * @param count How many of the oddest images are wanted, 5 by default.
 */
export function lessonsOf(
  scoring: TrainingScoring,
  count = ODDEST,
): Lessons {
  const { threshold } = scoring;
  const scores = Array.from(scoring.trainScores);
  const known = scores.filter(Number.isFinite);
  const odd = oddPlaces(threshold);
  const oddest = placesByScore(scores, odd).slice(0, count);
  return {
    scored: known.length,
    spread: spreadOf(known),
    falseAlarms: promiseOf(threshold),
    oddest: oddest.map((place) => ({
      place,
      name: scoring.imageNames[place]!,
      score: scores[place]!,
      isOdd: odd.includes(place),
      otherwise: otherwise(scoring, scores, odd, place),
    })),
    odd: odd.length,
    alike: likeness(scores),
  };
}

/** Places of the images that did not count. */
function oddPlaces(threshold: StoredThreshold | undefined): number[] {
  const odd = threshold?.rule["odd_images"];
  return Array.isArray(odd)
    ? odd.filter((place): place is number => Number.isInteger(place))
    : [];
}

/** Those that did not count, then the others, the largest scores first. */
function placesByScore(
  scores: readonly number[],
  odd: readonly number[],
): number[] {
  const others = Array.from(scores.keys())
    .filter((place) => Number.isFinite(scores[place]) && !odd.includes(place))
    .sort((a, b) => scores[b]! - scores[a]!);
  return [...odd.filter((place) => place < scores.length), ...others];
}

function spreadOf(known: readonly number[]): Lessons["spread"] {
  if (known.length === 0) return undefined;
  const sorted = known.toSorted((a, b) => a - b);
  const quantile = (share: number): number => {
    const place = (sorted.length - 1) * share;
    const low = sorted[Math.floor(place)]!;
    const high = sorted[Math.ceil(place)]!;
    return low + (high - low) * (place - Math.floor(place));
  };
  return {
    low: quantile(0.05),
    median: quantile(0.5),
    high: quantile(0.95),
    largest: quantile(1),
  };
}

function promiseOf(
  threshold: StoredThreshold | undefined,
): Lessons["falseAlarms"] {
  const { false_alarms: rate, expected_false_alarms: ends } = threshold?.rule ??
    {};
  return typeof rate === "number" && Array.isArray(ends)
    ? { rate, low: Number(ends[0]), high: Number(ends[1]) }
    : undefined;
}

function otherwise(
  { settings, isSquared, threshold }: TrainingScoring,
  scores: readonly number[],
  odd: readonly number[],
  place: number,
): number | undefined {
  const from = threshold?.rule["scores"];
  if (typeof from !== "string" || !from.startsWith("held-out folds")) {
    return undefined;
  }
  const left = odd.includes(place)
    ? odd.filter((other) => other !== place)
    : [...odd, place];
  const counted = scores.map((score, i) => left.includes(i) ? NaN : score);
  const made = storedThreshold(counted, {
    ...{ ...settings, isSquared, scores: from },
  });
  return made?.value;
}

/** The correlation of each score with the next, where it is no chance. */
function likeness(scores: readonly number[]): number | undefined {
  const pairs = scores.slice(1).map((next, i) => [scores[i]!, next] as const)
    .filter((pair) => pair.every(Number.isFinite));
  if (pairs.length < FEWEST - 1) return undefined;
  const mean = (pick: 0 | 1): number =>
    pairs.reduce((sum, pair) => sum + pair[pick], 0) / pairs.length;
  const [first, second] = [mean(0), mean(1)];
  let [both, left, right] = [0, 0, 0];
  for (const [a, b] of pairs) {
    both += (a - first) * (b - second);
    left += (a - first) ** 2;
    right += (b - second) ** 2;
  }
  const correlation = both / Math.sqrt(left * right);
  return correlation > NO_CHANCE / Math.sqrt(pairs.length)
    ? correlation
    : undefined;
}
