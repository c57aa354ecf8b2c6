import type { Sample } from "../datasets/dataset.ts";
import {
  CategoryMetrics,
  type CategoryResult,
  hasMasks,
  type ScoredImage,
} from "./category_metrics.ts";
import type { GroundTruth, ImageSize } from "./ground_truth.ts";

/** A scored image that can be found in the dataset again. */
export interface NamedScore extends ScoredImage {
  /** Path of the image. */
  readonly name: string;
  /** Its size before the resize. */
  readonly image: ImageSize;
}

/** Told of what an evaluation finds, e.g. for a report. */
export interface EvaluationObserver {
  /**
   * A test image was scored: a whole `Prediction` where one was made.
   *
   * @param scored What the method says of it.
   * @param sample What the dataset says.
   */
  onScored?(scored: NamedScore, sample: Sample): void;
  /** All metrics of a run are known. */
  onResult?(result: CategoryResult): void;
}

/** Options of {@linkcode scoreSamples}. */
export interface ScoreSamplesOptions {
  /** Told of scores and results. */
  readonly observer?: EvaluationObserver | undefined;
  /** The model's own threshold; NaN or absent for none. */
  readonly threshold?: number;
  /** Called with the images that are done. */
  readonly onProgress?: (done: number) => void;
}

/**
 * Compares predictions with the ground truth as they come.
 *
 * @param predictions Scored test images, in any order; images that could not
 * be used are simply missing.
 * @param samples What the dataset says of the test images.
 * @param truth Reads the masks.
 * @throws {RangeError} If an image is not in the dataset.
 */
export async function scoreSamples(
  predictions: AsyncIterable<NamedScore>,
  samples: readonly Sample[],
  truth: GroundTruth,
  { threshold = NaN, observer, onProgress }: ScoreSamplesOptions = {},
): Promise<CategoryResult> {
  const byPath = new Map(samples.map((sample) => [sample.path, sample]));
  const pixelwise = hasMasks(samples);
  const metrics = new CategoryMetrics(pixelwise);
  let done = 0;
  for await (const prediction of predictions) {
    const sample = byPath.get(prediction.name);
    if (sample === undefined) {
      throw new RangeError(
        `Cannot evaluate "${prediction.name}": it is no test image of the dataset`,
      );
    }
    const mask = pixelwise
      ? await truth.mask(sample, prediction.image)
      : undefined;
    metrics.add(sample, prediction, mask);
    observer?.onScored?.(prediction, sample);
    onProgress?.(++done);
  }
  const { labelMaps: labelMasks } = truth;
  const result = {
    ...metrics.result(threshold),
    ...(labelMasks > 0 && { labelMasks }),
  };
  observer?.onResult?.(result);
  return result;
}
