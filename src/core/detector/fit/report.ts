import type { StoredThreshold } from "../../model/stored_model.ts";
import { promiseOf } from "../../threshold/rule_facts.ts";

/** What a fit did, and how long it took. */
export interface FitReport {
  /** Images used. */
  readonly images: number;
  /** Patches of all images. */
  readonly patches: number;
  /** Rows of the memory bank. */
  readonly bankRows: number;
  /** Dimensions of a patch feature. */
  readonly dim: number;
  /** Image score from which on a part is anomalous; NaN if none could be found. */
  readonly threshold: number;
  /** Map value from which on a pixel is anomalous; NaN if none could be found. */
  readonly mapThreshold: number;
  /**
   * The largest distance of a patch to the bank in the space that its rows were
   * chosen in (the projected one, as a rule), where it was measured. Where all
   * features were held at once and the coreset started with "mean-of-10", it is
   * the largest anchor left, which distances to the start points can hide.
   */
  readonly radius: number | undefined;
  /** Images whose patches it was measured over; 0 where it is an anchor. */
  readonly radiusImages: number;
  /**
   * What that distance cannot exceed for any patch: the distances of all
   * choices added up; equal to the radius where one choice saw all patches.
   */
  readonly radiusBound: number | undefined;
  /** Buckets that the patches were divided into; 1: one choice saw them all. */
  readonly buckets: number;
  /** Passes over the rows at hand that the choices took. */
  readonly passes: number;
  /** Images that were scored for the threshold. */
  readonly thresholdImages: number;
  /**
   * The share of good parts that will be called anomalous: what was promised, and
   * within what it lies in 95 of 100 fits; `undefined` where the threshold is a
   * quantile or was multiplied with a factor, or there is none.
   */
  readonly falseAlarms:
    | { readonly rate: number; readonly low: number; readonly high: number }
    | undefined;
  /**
   * Scores of the training images as if they had not been trained on: their
   * median, 0.05 and 0.95 quantile and maximum.
   */
  readonly scoreSpread: {
    readonly median: number;
    readonly low: number;
    readonly high: number;
    readonly largest: number;
  } | undefined;
  /** Names of images that look unlike the others, the oddest first. */
  readonly oddImages: readonly string[];
  /** Whether so many do that they may be a second kind of parts. */
  readonly secondKind: boolean;
  /** Seconds of each step; GPU steps are GPU time. */
  readonly seconds: {
    readonly decode: number;
    readonly trunk: number;
    readonly patches: number;
    readonly coreset: number;
    readonly threshold: number;
    readonly total: number;
  };
  /** The most GPU bytes that were allocated at one time. */
  readonly peakGpuBytes: number;
  /** The most that were expected. */
  readonly plannedGpuBytes: number;
  /** Name of the adapter. */
  readonly adapter: string;
}

/**
 * What the training images say of a model or an ensemble.
 *
 * @param model Their scores and names, and the threshold.
 * @param odd Places of those that look unlike the others.
 */
export function trainingFacts(
  { trainScores, imageNames, threshold }: {
    readonly trainScores: Float32Array | Float64Array;
    readonly imageNames: readonly string[];
    readonly threshold?: StoredThreshold | undefined;
  },
  odd: readonly number[],
): Pick<
  FitReport,
  "falseAlarms" | "scoreSpread" | "oddImages" | "secondKind"
> {
  const sorted = Float64Array.from(trainScores).filter(Number.isFinite).sort();
  const quantile = (share: number): number => {
    const place = (sorted.length - 1) * share;
    const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
    return low + (high - low) * (place - Math.floor(place));
  };
  const promised = threshold && promiseOf(threshold);
  return {
    falseAlarms: promised && {
      rate: promised.rate,
      low: promised.low,
      high: promised.high,
    },
    scoreSpread: sorted.length === 0 ? undefined : {
      median: quantile(0.5),
      low: quantile(0.05),
      high: quantile(0.95),
      largest: quantile(1),
    },
    oddImages: odd.map((image) => imageNames[image]!),
    secondKind: threshold?.rule["second_kind"] === true,
  };
}
