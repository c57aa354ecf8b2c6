import { countClasses, rankScores } from "./ranking.ts";

/** A precision–recall curve, one point a distinct score. */
interface PrecisionRecallCurve {
  /** Share of the predicted anomalies that are anomalous; the last value is 1. */
  readonly precision: Float64Array;
  /** Share of the anomalous samples that are predicted; the last value is 0. */
  readonly recall: Float64Array;
  /** The thresholds, ascending, one fewer than the points. */
  readonly thresholds: Float64Array;
}

/**
 * Sums average precision while groups of equal scores come by in descending
 * order.
 */
export class PrecisionSum {
  #positives = 0;
  #predicted = 0;
  #sum = 0;

  /**
   * Adds all samples of the next lower score.
   *
   * @param positives How many of them are anomalous.
   * @param negatives How many of them are normal.
   */
  add(positives: number, negatives: number): void {
    this.#positives += positives;
    this.#predicted += positives + negatives;
    if (positives === 0) return;
    this.#sum += positives * (this.#positives / this.#predicted);
  }

  /** The average precision from 0 to 1; NaN while there is no anomalous sample. */
  get value(): number {
    return this.#sum / this.#positives;
  }
}

/**
 * Area under the precision–recall curve as average precision,
 * Σ (Rₙ − Rₙ₋₁) Pₙ without interpolation (scikit-learn's
 * `average_precision_score`).
 *
 * @param scores One score a sample; higher is more anomalous.
 * @param labels One label a sample: `true` or a number other than 0 is anomalous.
 * @returns The area from 0 to 1; NaN when no sample is anomalous.
 * @throws {RangeError} If the lengths differ or a score is NaN.
 */
export function averagePrecision(
  scores: ArrayLike<number>,
  labels: ArrayLike<number | boolean>,
): number {
  const sum = new PrecisionSum();
  for (const { positives, negatives } of rankScores(scores, labels)) {
    sum.add(positives, negatives);
  }
  return sum.value;
}

/**
 * Precision and recall at every distinct score, closed by the point of recall
 * 0 and precision 1 (scikit-learn's `precision_recall_curve`).
 *
 * @param scores One score a sample; higher is more anomalous.
 * @param labels One label a sample: `true` or a number other than 0 is anomalous.
 * @returns The curve; recall is NaN when no sample is anomalous.
 * @throws {RangeError} If the lengths differ or a score is NaN.
 */
export function precisionRecallCurve(
  scores: ArrayLike<number>,
  labels: ArrayLike<number | boolean>,
): PrecisionRecallCurve {
  const groups = rankScores(scores, labels);
  const total = countClasses(groups).positives;
  const precision = new Float64Array(groups.length + 1);
  const recall = new Float64Array(groups.length + 1);
  const thresholds = new Float64Array(groups.length);
  precision[groups.length] = 1;
  let positives = 0, predicted = 0;
  for (const [rank, group] of groups.entries()) {
    positives += group.positives;
    predicted += group.positives + group.negatives;
    const index = groups.length - 1 - rank;
    precision[index] = positives / predicted;
    recall[index] = positives / total;
    thresholds[index] = group.score;
  }
  return { precision, recall, thresholds };
}
