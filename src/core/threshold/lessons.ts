import type { StoredThreshold } from "../model/stored_model.ts";
import type { ThresholdSettings } from "../settings/settings.ts";
import { storedThreshold } from "./calibrate.ts";
import {
  isQuantile,
  type PromisedShare,
  promiseOf,
  sourceOf,
  type ThresholdSource,
} from "./rule_facts.ts";

/** Training images that are told of. */
const ODDEST = 5;

/** Fewer images say nothing of whether neighbours are alike. */
const FEWEST = 8;

/**
 * Fewer scores do not tell what a threshold would be without one of them where
 * it follows from a fitted tail: then dropping the largest may even raise it.
 */
const FEWEST_OF_TAIL = 30;

/** So many images whose nearest score is a neighbour's chance does not explain. */
const NO_CHANCE = 9;

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
  /** Whether it looks unlike the others, defective perhaps. */
  readonly isOdd: boolean;
  /** Whether its score counted for the threshold. */
  readonly counts: boolean;
  /**
   * The threshold without it, or with it where it did not count; `undefined`
   * where the threshold has not come about from these scores, or they are too
   * few to say.
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
  /** What the threshold was made from; `undefined` without one. */
  readonly source: ThresholdSource | undefined;
  /** What it promises, if anything. */
  readonly falseAlarms: PromisedShare | undefined;
  /** The oddest images, those that look unlike the others first. */
  readonly oddest: readonly OddestImage[];
  /** How many look unlike the others. */
  readonly odd: number;
  /** Whether these counted for the threshold all the same. */
  readonly oddAreCounted: boolean;
  /** Whether so many look unlike the others that they may be a second kind. */
  readonly secondKind: boolean;
  /**
   * Images whose score is nearest to that of the one before or after them, where
   * they are more than chance explains: they may be shots of one part.
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
  const oddAreCounted = isQuantile(threshold);
  return {
    scored: known.length,
    spread: spreadOf(known),
    source: threshold && sourceOf(threshold),
    falseAlarms: threshold && promiseOf(threshold),
    oddest: oddest.map((place) => ({
      place,
      name: scoring.imageNames[place]!,
      score: scores[place]!,
      isOdd: odd.includes(place),
      counts: oddAreCounted || !odd.includes(place),
      otherwise: otherwise(scoring, scores, odd, place),
    })),
    odd: odd.length,
    oddAreCounted,
    secondKind: threshold?.rule["second_kind"] === true,
    alike: likeness(scores),
  };
}

/** Places of the images that look unlike the others. */
function oddPlaces(threshold: StoredThreshold | undefined): number[] {
  const odd = threshold?.rule["odd_images"];
  return Array.isArray(odd)
    ? odd.filter((place): place is number => Number.isInteger(place))
    : [];
}

/** Those that look unlike the others, then the others, the largest scores first. */
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
  const left = isQuantile(threshold)
    ? [place]
    : odd.includes(place)
    ? odd.filter((other) => other !== place)
    : [...odd, place];
  const counted = scores.map((score, i) => left.includes(i) ? NaN : score);
  const made = storedThreshold(counted, {
    ...{ ...settings, isSquared, scores: from },
  });
  return areComparable(threshold, made) ? made?.value : undefined;
}

/**
 * Whether the difference of two thresholds is that of their scores, rather than
 * of what was made of them.
 */
function areComparable(
  ...thresholds: readonly (StoredThreshold | undefined)[]
): boolean {
  const rules = thresholds.map((threshold) => threshold?.rule ?? {});
  const isSteady = rules.every(({ rule, images }) =>
    rule !== "exponential tail" || Number(images) >= FEWEST_OF_TAIL
  );
  return isSteady && rules.every(({ rule }) => rule === rules[0]!["rule"]);
}

/**
 * How many images have the score that is nearest to their own right before or
 * after them: by chance it is two, whatever their number, as pairs more often
 * than not.
 */
function likeness(scores: readonly number[]): number | undefined {
  const count = scores.length;
  if (count < FEWEST || !scores.every(Number.isFinite)) return undefined;
  const order = Array.from(scores.keys())
    .sort((a, b) => scores[a]! - scores[b]!);
  const gap = (a: number | undefined, b: number): number =>
    a === undefined ? Infinity : Math.abs(scores[a]! - scores[b]!);
  const alike = order.filter((image, rank) => {
    const [below, above] = [order[rank - 1], order[rank + 1]];
    const nearest = gap(below, image) <= gap(above, image) ? below : above;
    return Math.abs(nearest! - image) === 1;
  }).length;
  return alike >= Math.min(NO_CHANCE, count) ? alike : undefined;
}
