import type { Sample } from "../datasets/dataset.ts";
import { imageMetrics, type ImageResult } from "../metrics/image_metrics.ts";
import type { BinaryMask } from "../metrics/mask_rule.ts";
import { judge, type Label, type Limits, NO_LIMITS } from "../score/verdict.ts";
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
    /** Pixels that are NaN as they are not inspected, 0 by default. */
    readonly unseen?: number;
  };
  /** The verdict, where one was made. */
  readonly label?: Label | null;
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

/** Verdicts at a threshold that was set without seeing the test images. */
export interface ThresholdErrors {
  /** The threshold. */
  readonly threshold: number;
  /** Normal images that were called anomalous. */
  readonly falsePositives: number;
  /** Anomalous images that were called normal. */
  readonly falseNegatives: number;
  /** Images that were called uncertain; neither right nor wrong. */
  readonly uncertain: {
    /** Of the normal ones. */
    readonly normal: number;
    /** Of the anomalous ones. */
    readonly anomalous: number;
  };
  /**
   * 2·TP / (2·TP + FP + FN), uncertain images left out; NaN when nothing is
   * anomalous.
   */
  readonly f1: number;
}

/**
 * Gathers the scores and maps of a category's test images, one at a time, and
 * computes every metric. Maps are not kept; see {@linkcode PixelMetrics}.
 */
export class CategoryMetrics {
  readonly #scores: number[] = [];
  readonly #anomalous: boolean[] = [];
  readonly #labels: (Label | null | undefined)[] = [];
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
    { label: truth }: Pick<Sample, "label">,
    { score, map, label }: ScoredImage,
    mask: BinaryMask | undefined,
  ): void {
    this.#pixels?.add(map.data, mask?.mask, {
      width: map.width,
      height: map.height,
      defective: mask?.defective ?? false,
    });
    this.#scores.push(score);
    this.#anomalous.push(truth === "anomalous");
    this.#labels.push(label);
  }

  /**
   * The metrics of all images so far.
   *
   * @param limits The model's own thresholds.
   */
  result(limits: Limits = NO_LIMITS): CategoryResult {
    return {
      image: imageMetrics(this.#scores, this.#anomalous),
      pixel: this.#pixels?.result(),
      atThreshold: this.#atThreshold(limits),
    };
  }

  #atThreshold(limits: Limits): ThresholdErrors | undefined {
    const { score: threshold } = limits;
    if (threshold === null) return undefined;
    // A least area takes the map, which is gone.
    const labels = limits.minArea !== undefined
      ? this.#labels
      : this.#scores.map((score) => judge(score, limits).label);
    const count = (anomalous: boolean, label: Label): number =>
      labels.filter((own, i) =>
        own === label && this.#anomalous[i] === anomalous
      ).length;
    const found = count(true, "anomalous");
    const falsePositives = count(false, "anomalous");
    const falseNegatives = count(true, "normal");
    return {
      threshold,
      falsePositives,
      falseNegatives,
      uncertain: {
        normal: count(false, "uncertain"),
        anomalous: count(true, "uncertain"),
      },
      f1: this.#anomalous.includes(true)
        ? 2 * found / (2 * found + falsePositives + falseNegatives)
        : NaN,
    };
  }
}

/** Whether every anomalous test image has a mask. */
export function hasMasks(samples: readonly Sample[]): boolean {
  return samples.every(({ label, mask }) =>
    label === "normal" || mask !== undefined
  );
}
