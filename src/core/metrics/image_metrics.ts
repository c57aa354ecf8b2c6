import { type F1Max, F1Search } from "./f1.ts";
import { PrecisionSum } from "./pr.ts";
import { countClasses, rankScores } from "./ranking.ts";
import { RocArea } from "./roc.ts";

/** Image metrics of a test set; NaN where a class of images is missing. */
export interface ImageResult {
  /** Area under the receiver operating characteristic, ties counting one half. */
  readonly auroc: number;
  /** Area under the precision–recall curve, as average precision. */
  readonly aupr: number;
  /** The best F1, its threshold and the misclassified images. */
  readonly f1Max: F1Max;
  /** How many images are normal. */
  readonly normal: number;
  /** How many images are anomalous. */
  readonly anomalous: number;
}

/**
 * Computes every image metric from raw image scores.
 *
 * @param scores One score an image; higher is more anomalous.
 * @param labels One label an image: `true` or a number other than 0 is anomalous.
 * @throws {RangeError} If the lengths differ or a score is NaN.
 */
export function imageMetrics(
  scores: ArrayLike<number>,
  labels: ArrayLike<number | boolean>,
): ImageResult {
  const groups = rankScores(scores, labels);
  const { positives: anomalous, negatives: normal } = countClasses(groups);
  const roc = new RocArea();
  const precision = new PrecisionSum();
  const f1 = new F1Search(anomalous);
  for (const { score, positives, negatives } of groups) {
    roc.add(positives, negatives);
    precision.add(positives, negatives);
    f1.add(score, positives, negatives);
  }
  return {
    auroc: roc.value,
    aupr: precision.value,
    f1Max: f1.value,
    normal,
    anomalous,
  };
}
