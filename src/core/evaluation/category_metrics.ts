import type { Sample } from "../datasets/dataset.ts";
import { imageMetrics, type ImageResult } from "../metrics/image_metrics.ts";
import type { BinaryMask } from "../metrics/mask_rule.ts";
import { PixelMetrics, type PixelResult } from "../metrics/pixel_metrics.ts";

/** What a method says of one test image. */
export interface ScoredImage {
  /** Raw image score. */
  readonly score: number;
  /** Anomaly map over the network's input; only its pixels are ranked. */
  readonly map: {
    /** Columns. */
    readonly width: number;
    /** Rows. */
    readonly height: number;
    /** Scores, row by row. */
    readonly data: Float32Array;
  };
}

/** All metrics of one category. */
export interface CategoryResult {
  /** Metrics of image scores. */
  readonly image: ImageResult;
  /** Metrics of anomaly maps; absent where anomalous images lack their masks. */
  readonly pixel: PixelResult | undefined;
  /** Mistakes at the model's own threshold; absent where it has none. */
  readonly atThreshold: ThresholdErrors | undefined;
  /** Masks that held numbers of classes instead of 0 and 255, if any did. */
  readonly labelMasks?: number;
}

/** Mistakes at a threshold that was set without seeing the test images. */
interface ThresholdErrors {
  /** The threshold. */
  readonly threshold: number;
  /** Normal images at or above it. */
  readonly falsePositives: number;
  /** Anomalous images below it. */
  readonly falseNegatives: number;
}

/**
 * Gathers the scores and maps of a category's test images, one at a time, and
 * computes every metric. Maps are not kept; see {@linkcode PixelMetrics}.
 */
export class CategoryMetrics {
  readonly #scores: number[] = [];
  readonly #anomalous: boolean[] = [];
  readonly #pixels: PixelMetrics | undefined;

  /** @param hasMasks Whether every anomalous image has a mask. */
  constructor(hasMasks: boolean) {
    this.#pixels = hasMasks ? new PixelMetrics() : undefined;
  }

  /**
   * Adds a test image.
   *
   * @param sample What the dataset says of it.
   * @param scored What the method says of it.
   * @param mask Its mask in the map's geometry; none for a normal image.
   * @throws {RangeError} If map and mask differ in size.
   */
  add(
    { label }: Pick<Sample, "label">,
    { score, map }: ScoredImage,
    mask: BinaryMask | undefined,
  ): void {
    this.#pixels?.add(map.data, mask?.mask, {
      width: map.width,
      height: map.height,
      defective: mask?.defective ?? false,
    });
    this.#scores.push(score);
    this.#anomalous.push(label === "anomalous");
  }

  /**
   * The metrics of all images so far.
   *
   * @param threshold The model's own threshold, NaN for none.
   */
  result(threshold = NaN): CategoryResult {
    const scores = this.#scores;
    const wrong = (anomalous: boolean): number =>
      scores.filter((score, i) =>
        this.#anomalous[i] === anomalous && (score >= threshold) !== anomalous
      ).length;
    return {
      image: imageMetrics(scores, this.#anomalous),
      pixel: this.#pixels?.result(),
      atThreshold: Number.isNaN(threshold) ? undefined : {
        threshold,
        falsePositives: wrong(false),
        falseNegatives: wrong(true),
      },
    };
  }
}

/** Whether every anomalous test image has a mask. */
export function hasMasks(samples: readonly Sample[]): boolean {
  return samples.every(({ label, mask }) =>
    label === "normal" || mask !== undefined
  );
}
