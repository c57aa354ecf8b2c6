import { countClasses, rankScores } from "./ranking.ts";

/** A receiver operating characteristic, one point a distinct score. */
interface RocCurve {
  /** Share of normal samples at or above the threshold, from 0 to 1. */
  readonly falsePositiveRate: Float64Array;
  /** Share of anomalous samples at or above the threshold, from 0 to 1. */
  readonly truePositiveRate: Float64Array;
  /** The thresholds, descending; the first is Infinity (nothing is above it). */
  readonly thresholds: Float64Array;
}

/**
 * Sums the area under a receiver operating characteristic while groups of
 * equal scores come by in descending order. Ties count one half, which makes
 * it the Mann–Whitney statistic; sums are exact below 2⁵² pairs.
 */
export class RocArea {
  #positives = 0;
  #negatives = 0;
  #pairs = 0;

  /**
   * Adds all samples of the next lower score.
   *
   * @param positives How many of them are anomalous.
   * @param negatives How many of them are normal.
   */
  add(positives: number, negatives: number): void {
    this.#pairs += negatives * (this.#positives + positives / 2);
    this.#positives += positives;
    this.#negatives += negatives;
  }

  /** The area from 0 to 1; NaN while one of the classes is missing. */
  get value(): number {
    return this.#pairs / (this.#positives * this.#negatives);
  }
}

/**
 * Area under the receiver operating characteristic: the probability that an
 * anomalous sample scores higher than a normal one, ties counting one half
 * (scikit-learn's `roc_auc_score`).
 *
 * @param scores One score a sample; higher is more anomalous.
 * @param labels One label a sample: `true` or a number other than 0 is anomalous.
 * @returns The area from 0 to 1; NaN when one of the classes is missing.
 * @throws {RangeError} If the lengths differ or a score is NaN.
 */
export function auroc(
  scores: ArrayLike<number>,
  labels: ArrayLike<number | boolean>,
): number {
  const area = new RocArea();
  for (const { positives, negatives } of rankScores(scores, labels)) {
    area.add(positives, negatives);
  }
  return area.value;
}

/**
 * The receiver operating characteristic at every distinct score, starting at
 * (0, 0) and ending at (1, 1).
 *
 * @param scores One score a sample; higher is more anomalous.
 * @param labels One label a sample: `true` or a number other than 0 is anomalous.
 * @returns The curve; a rate is NaN when its class is missing.
 * @throws {RangeError} If the lengths differ or a score is NaN.
 */
export function rocCurve(
  scores: ArrayLike<number>,
  labels: ArrayLike<number | boolean>,
): RocCurve {
  const groups = rankScores(scores, labels);
  const total = countClasses(groups);
  const length = groups.length + 1;
  const falsePositiveRate = new Float64Array(length);
  const truePositiveRate = new Float64Array(length);
  const thresholds = new Float64Array(length).fill(Infinity);
  let positives = 0, negatives = 0;
  for (const [index, group] of groups.entries()) {
    positives += group.positives;
    negatives += group.negatives;
    truePositiveRate[index + 1] = positives / total.positives;
    falsePositiveRate[index + 1] = negatives / total.negatives;
    thresholds[index + 1] = group.score;
  }
  return { falsePositiveRate, truePositiveRate, thresholds };
}
