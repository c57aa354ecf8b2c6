import type { Sample } from "../datasets/dataset.ts";
import type { Files } from "../datasets/files.ts";
import { reportImageError, type WorkOptions } from "../features/progress.ts";
import type { ResizeSettings } from "../images/resize_plan.ts";
import type { MaskRule } from "../metrics/mask_rule.ts";
import { type Limits, NO_LIMITS } from "../score/verdict.ts";
import {
  CategoryMetrics,
  type CategoryResult,
  hasMasks,
  type ScoredImage,
} from "./category_metrics.ts";
import { checkFiniteResult } from "../score/finite_result.ts";
import { GroundTruth, type ImageSize } from "./ground_truth.ts";

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

/** Where masks are, and who is told of what is found. */
export interface ScoringWork
  extends Pick<WorkOptions, "onProgress" | "onImageError" | "maxPixels"> {
  /** The file system that the samples were read from. */
  readonly files: Files;
  /** Told of scores and results. */
  readonly observer?: EvaluationObserver | undefined;
}

/** How scores and maps are judged. */
interface Judgement {
  /** Input geometry of the model, which masks are brought to. */
  readonly geometry: ResizeSettings;
  /** Which pixels of the masks are anomalous. */
  readonly rule: MaskRule;
  /** The model's own thresholds, if it has some. */
  readonly limits?: Limits;
}

/**
 * Compares predictions with the ground truth as they come.
 *
 * @param predictions Scored test images, in any order; images that could not
 * be used are simply missing, and those whose result is not finite are left out.
 * @param samples What the dataset says of the test images.
 * @throws {RangeError} If an image is not in the dataset.
 */
export async function scoreSamples(
  predictions: AsyncIterable<NamedScore>,
  samples: readonly Sample[],
  work: ScoringWork,
  { geometry, rule, limits = NO_LIMITS }: Judgement,
): Promise<CategoryResult> {
  const { files, observer, onProgress, maxPixels } = work;
  const truth = new GroundTruth(files, { geometry, rule, maxPixels });
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
    const { name, score, map } = prediction;
    try {
      checkFiniteResult(name, { score, map: map.data, unseen: map.unseen });
    } catch (error) {
      reportImageError(name, error, work);
      continue;
    }
    const mask = pixelwise
      ? await truth.mask(sample, prediction.image)
      : undefined;
    metrics.add(sample, prediction, mask);
    observer?.onScored?.(prediction, sample);
    onProgress?.("predict", ++done, samples.length);
  }
  const { labelMaps: labelMasks } = truth;
  const result = {
    ...metrics.result(limits),
    ...(labelMasks > 0 && { labelMasks }),
  };
  observer?.onResult?.(result);
  return result;
}
