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

/** Options of {@linkcode scoreSamples}. */
export interface ScoreSamplesOptions {
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
  { threshold = NaN, onProgress }: ScoreSamplesOptions = {},
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
    onProgress?.(++done);
  }
  return metrics.result(threshold);
}
