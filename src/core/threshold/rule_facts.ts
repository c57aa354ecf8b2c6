import type { StoredThreshold } from "../model/stored_model.ts";

/** What a threshold was made from. */
export type ThresholdSource =
  /** Scores of the training images. */
  | "training images"
  /** Scores of good parts that the model was not fitted to. */
  | "good parts"
  /** Scores of such parts and of bad ones. */
  | "good and bad parts"
  /** None: somebody named the value. */
  | "none";

/** What the scores of rules begin with. */
const SOURCES: readonly (readonly [begin: string, ThresholdSource])[] = [
  ["held-out folds", "training images"],
  ["leave-one-image-out", "training images"],
  ["held-out good parts", "good parts"],
  ["held-out good and bad parts", "good and bad parts"],
  ["none", "none"],
];

/** A promised share of false alarms, and within what it is expected. */
export interface PromisedShare {
  /** The share that was promised. */
  readonly rate: number;
  /** In 95 of 100 such thresholds it is at least this. */
  readonly low: number;
  /** And at most this. */
  readonly high: number;
  /** Scores that it was made from. */
  readonly scores: number;
  /** Whether they were too few to be counted, so that a tail was fitted. */
  readonly isExtrapolated: boolean;
}

/** What a threshold was made from; nothing where its rule does not say. */
export function sourceOf(
  { rule }: StoredThreshold,
): ThresholdSource | undefined {
  const scores = String(rule["scores"]);
  return SOURCES.find(([begin]) => scores.startsWith(begin))?.[1];
}

/**
 * What a threshold promises; nothing where it promises nothing, as where it was
 * multiplied with a factor.
 */
export function promiseOf(
  { rule }: StoredThreshold,
): PromisedShare | undefined {
  const { false_alarms: rate, expected_false_alarms: ends, images } = rule;
  const { factor = 1 } = rule;
  return typeof rate === "number" && Array.isArray(ends) && factor === 1
    ? {
      rate,
      low: Number(ends[0]),
      high: Number(ends[1]),
      scores: Number(images),
      isExtrapolated: rule["rule"] === "exponential tail",
    }
    : undefined;
}

/** Whether it is a quantile, which is one of all scores, odd ones too. */
export function isQuantile(threshold: StoredThreshold | undefined): boolean {
  return threshold?.rule["rule"] === "quantile";
}
