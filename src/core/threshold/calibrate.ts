import type { Gpu } from "../../gpu/mod.ts";
import type { WorkOptions } from "../features/progress.ts";
import type { StoredModel, StoredThreshold } from "../model/stored_model.ts";
import type { Settings } from "../settings/settings.ts";
import {
  leftOutScores,
  type ScoredPatches,
  type ScoringBank,
  type TrainingScores,
} from "./training_scores.ts";

/** The thresholds of a model. */
export interface Thresholds {
  /** That of image scores; absent when no image has a score. */
  readonly threshold?: StoredThreshold;
  /** That of anomaly maps' pixels. */
  readonly mapThreshold?: StoredThreshold;
}

/** What the training images say about the thresholds. */
export interface Calibration extends Thresholds {
  /**
   * Leave-one-image-out score of each training image: how anomalous it would
   * be had it not been trained on. NaN where that is not known.
   */
  readonly scores: Float32Array<ArrayBuffer>;
}

/**
 * Scores the images that a bank was chosen from, each without the bank rows that
 * come from it, and sets the thresholds of image scores and of anomaly maps.
 *
 * @param gpu The device.
 * @param features Patches of all training images.
 * @param chosen The bank, its search, and rows of it near the patches.
 * @param settings How scores are made and what thresholds follow from them.
 * @param options Progress.
 */
export async function calibrate(
  gpu: Gpu,
  { rows, extractor }: ScoredPatches,
  { bank, search, nearestOther }:
    & Omit<ScoringBank, "settings">
    & Pick<ScoredPatches, "nearestOther">,
  settings: Settings,
  { onProgress }: WorkOptions,
): Promise<Calibration> {
  const found = await leftOutScores(
    gpu,
    { bank, search, settings },
    { rows, extractor, nearestOther },
    onProgress && { onProgress },
  );
  const images = rows.rows / extractor.features.patches;
  return {
    scores: scoresOf(found, images),
    ...thresholdsOf(found, settings),
  };
}

/**
 * The scores of all training images.
 *
 * @param found Those that are known.
 * @param images How many images there are.
 * @param earlier Scores of the first ones.
 * @returns NaN where a score is not known.
 */
export function scoresOf(
  { scores }: TrainingScores,
  images: number,
  earlier: Float32Array = new Float32Array(),
): Float32Array<ArrayBuffer> {
  const all = new Float32Array(images).fill(NaN);
  all.set(earlier);
  for (const { image, score } of scores) all[image] = score;
  return all;
}

/** What else thresholds go by. */
interface ThresholdOptions {
  /** How many images the scored ones were drawn from, where they are not all. */
  readonly drawnFrom?: number;
  /** Models whose bank went into the new one. */
  readonly earlier?: readonly StoredModel[];
}

/**
 * The thresholds of image scores and of anomaly maps: a quantile of what nominal
 * images have, times a factor; none where there are no scores.
 *
 * Images of earlier models are gone, so they count with the scores they had:
 * more rows can only lower those, rows that were dropped can raise them by the
 * distance to what stands for them. Of their maps only the threshold is known,
 * and counts where its rule says how to take its factor off again; the highest
 * one is taken.
 *
 * @param fresh Images that were compared with the finished bank.
 * @param settings Quantiles and factor.
 */
export function thresholdsOf(
  fresh: TrainingScores,
  settings: Settings,
  { drawnFrom, earlier = [] }: ThresholdOptions = {},
): Thresholds {
  const { quantile, factor, mapQuantile } = settings.threshold;
  const before = earlier.flatMap(({ trainScores }) => known(trainScores));
  const scores = [...before, ...fresh.scores.map(({ score }) => score)];
  const { value } = thresholdOf(scores, { quantile, factor });
  if (value === undefined) return {};
  const rule = {
    scores: "leave-one-image-out",
    images: scores.length,
    quantile,
    factor,
    ...(drawnFrom !== undefined && { drawn_from: drawnFrom }),
    ...(earlier.length > 0 && { scored_before: before.length }),
  };
  const missing = Math.max(0, fresh.scores.length - fresh.maxima.length);
  const { value: own } = thresholdOf(
    [...fresh.maxima, ...new Float32Array(missing)],
    { quantile: mapQuantile, factor },
  );
  const maps = earlier.flatMap(({ mapThreshold }) => {
    const { quantile, factor: old } = mapThreshold?.rule ?? {};
    const value = (mapThreshold?.value ?? NaN) / Number(old) * factor;
    const isUsable = quantile === mapQuantile && value >= 0 && value < Infinity;
    return isUsable ? [value] : [];
  });
  if (own !== undefined) maps.push(own);
  return {
    threshold: { value, rule },
    ...(maps.length > 0 && {
      mapThreshold: {
        value: Math.max(...maps),
        rule: {
          ...rule,
          scores: "leave-one-image-out map maxima",
          quantile: mapQuantile,
        },
      },
    }),
  };
}

/** The score at and above which an image is anomalous, or why there is none. */
export interface Threshold {
  /** The value; `undefined` when no image has a score. */
  readonly value: number | undefined;
  /** Images whose score counted. */
  readonly images: number;
}

/**
 * The threshold from the scores of nominal images: their quantile times a
 * factor. Scores that are not numbers do not count.
 *
 * @param trainScores Leave-one-image-out scores.
 * @param quantile 0 to 1, linear between neighbours; 1 is the maximum.
 * @param factor What the quantile is multiplied with.
 */
export function thresholdOf(
  trainScores: ArrayLike<number>,
  { quantile, factor }: { quantile: number; factor: number },
): Threshold {
  const sorted = known(trainScores).sort((a, b) => a - b);
  if (sorted.length === 0) return { value: undefined, images: 0 };
  const place = (sorted.length - 1) * quantile;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  const value = (below + (above - below) * (place - Math.floor(place))) *
    factor;
  return { value, images: sorted.length };
}

function known(scores: ArrayLike<number>): number[] {
  return Array.from(scores).filter(Number.isFinite);
}
