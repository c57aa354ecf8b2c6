import type { Gpu, RowChunks } from "../../gpu/mod.ts";
import { recordGather } from "../rows/row_sets.ts";
import type { MemoryBank } from "../bank/memory_bank.ts";
import { BankSearch } from "../search/search.ts";
import type { StoredThreshold } from "../model/stored_model.ts";
import {
  leaveOneImageOut,
  type LeaveOneImageOutInputs,
  type LeftOutImage,
  thresholdOf,
} from "./leave_one_out.ts";
import { ImageScores } from "../score/image_score.ts";
import { mapMaxima, type MapThresholdInputs } from "./map_maxima.ts";
import type { Settings } from "../settings/settings.ts";
import type { FeatureExtractor } from "../features/extractor.ts";
import type { WorkOptions } from "../features/progress.ts";
import type { TrainingFeatures } from "../features/training_features.ts";

/** What the training images say about the threshold. */
export interface Calibration {
  /**
   * Leave-one-image-out score of each training image: how anomalous it would
   * be had it not been trained on. 0 where the bank has rows of no other image.
   */
  readonly scores: Float32Array<ArrayBuffer>;
  /** The threshold; absent when no image has a score. */
  readonly threshold?: StoredThreshold;
  /** The threshold of anomaly maps' pixels; absent together with it. */
  readonly mapThreshold?: StoredThreshold;
}

/** A {@linkcode Calibration}'s input from the choice of the bank. */
export interface CalibratedBank {
  /** The memory bank. */
  readonly bank: MemoryBank;
  /** Finds neighbours in it; knows the rows' images. */
  readonly search: BankSearch;
  /** A bank row of another image near each patch, where one is known. */
  readonly nearestOther: Uint32Array<ArrayBuffer> | undefined;
}

/** Prepares a bank for searches that leave one image out. */
export function searchOf(gpu: Gpu, bank: MemoryBank): Promise<BankSearch> {
  return BankSearch.create(gpu, bank.rows, { images: bank.images });
}

/**
 * Scores the training images, each without the bank rows that come from it, and
 * sets the thresholds of image scores and of anomaly maps: their quantile times
 * a factor.
 */
export async function calibrate(
  gpu: Gpu,
  { rows: features, extractor }: TrainingFeatures,
  { bank, search, nearestOther }: CalibratedBank,
  settings: Settings,
  { onProgress }: WorkOptions,
): Promise<Calibration> {
  const { patches } = extractor.features;
  const inputs = {
    features,
    patches,
    bank: bank.rows,
    search,
    settings,
    ...(nearestOther && { nearby: nearestOther }),
  };
  const known = await scoreLeftOut(gpu, {
    ...inputs,
    ...(onProgress && {
      onProgress: (done: number, total: number) =>
        onProgress("threshold", done, total),
    }),
  });
  const scores = new Float32Array(features.rows / patches);
  for (const { image, score } of known) scores[image] = score;
  const { maxima } = await mapMaxima(gpu, {
    ...mapInputs(inputs, extractor),
    known: known.map(({ place }) => place),
    ...(onProgress && {
      onProgress: (done: number, total: number) =>
        onProgress("map threshold", done, total),
    }),
  });
  return {
    scores,
    ...rulesOf(known.map(({ score }) => score), maxima, settings),
  };
}

/** What {@linkcode scoreLeftOut} works on. */
export interface LeftOutInputs
  extends Omit<LeaveOneImageOutInputs, "neighbours" | "squared"> {
  /** How scores are made. */
  readonly settings: Settings;
}

/** The score of an image that did not count when it was searched. */
export interface LeftOutScore {
  /** Its place among the features. */
  readonly place: number;
  /** Number of the image. */
  readonly image: number;
  /** Its image score. */
  readonly score: number;
}

/**
 * Image scores of training images, each without the bank rows that come from
 * it; images are missing for which the bank has no row of another one.
 */
export async function scoreLeftOut(
  gpu: Gpu,
  inputs: LeftOutInputs,
): Promise<LeftOutScore[]> {
  const { settings, features, bank, search } = inputs;
  const { images } = await leaveOneImageOut(gpu, {
    ...inputs,
    ...distancesOf(settings),
  });
  const known = images.flatMap((image, place) =>
    image.nearestRow < 0
      ? []
      : [{ ...image, place, index: inputs.images?.[place] ?? place }]
  );
  const weighed = await weigh(gpu, features, bank, search, settings, known);
  return known.map(({ place, index }, i) => ({
    place,
    image: index,
    score: weighed[i],
  }));
}

/** What the maps of the same images are made with. */
export function mapInputs(
  inputs: LeftOutInputs,
  { features: { height, width }, input: size }: FeatureExtractor,
): Omit<MapThresholdInputs, "known"> {
  const { settings } = inputs;
  return {
    ...inputs,
    ...distancesOf(settings),
    grid: [height, width],
    size,
    map: settings.map,
    quantile: settings.threshold.mapQuantile,
    factor: settings.threshold.factor,
  };
}

function distancesOf(
  { neighbours, distance }: Settings,
): Pick<LeaveOneImageOutInputs, "neighbours" | "squared"> {
  return { neighbours, squared: distance === "squared" };
}

/**
 * The thresholds from the scores of images and the largest pixels of their maps,
 * of which the small ones may be missing; none where there are no scores.
 *
 * @param more What else the rules say.
 */
export function rulesOf(
  scores: readonly number[],
  maxima: readonly number[],
  settings: Settings,
  more: Readonly<Record<string, unknown>> = {},
): Pick<Calibration, "threshold" | "mapThreshold"> {
  const { quantile, factor, mapQuantile } = settings.threshold;
  const { value } = thresholdOf(scores, { quantile, factor });
  if (value === undefined) return {};
  const rule = {
    scores: "leave-one-image-out",
    images: scores.length,
    quantile,
    factor,
    ...more,
  };
  const missing = Math.max(0, scores.length - maxima.length);
  const { value: mapValue } = thresholdOf(
    [...maxima, ...new Float32Array(missing)],
    { quantile: mapQuantile, factor },
  );
  return {
    threshold: { value, rule },
    ...(mapValue !== undefined && {
      mapThreshold: {
        value: mapValue,
        rule: {
          ...rule,
          scores: "leave-one-image-out map maxima",
          quantile: mapQuantile,
        },
      },
    }),
  };
}

/** Weighs scores as those of new images are (paper, Eq. 7). */
async function weigh(
  gpu: Gpu,
  features: TrainingFeatures["rows"],
  bank: RowChunks,
  search: BankSearch,
  settings: Settings,
  images: readonly (LeftOutImage & { readonly index: number })[],
): Promise<Float32Array> {
  const count = images.length;
  const unweighed = Float32Array.from(images, ({ score }) => score);
  if (count === 0 || settings.reweight < 2) return unweighed;
  const upload = (pick: (image: typeof images[number], i: number) => number) =>
    gpu.upload(Uint32Array.from(images, pick), [count]);
  using patches = upload(({ patch }) => patch);
  using worstPatches = upload((_, i) => i);
  using nearestRows = upload(({ nearestRow }) => nearestRow);
  using queryImages = upload(({ index }) => index);
  using scores = gpu.upload(unweighed, [count]);
  using queries = gpu.tensor([count, features.dim], "f32", "worst patches");
  using program = gpu.program("weigh training scores");
  recordGather(program, features, patches, count, queries);
  using _memory = new ImageScores(gpu, bank, search, settings)
    .recordWeights(program, {
      queries,
      scores,
      worstPatches,
      nearestRows,
      images: count,
      queryImages,
    });
  (await program.compile()).run();
  return await gpu.readFloats(scores);
}
