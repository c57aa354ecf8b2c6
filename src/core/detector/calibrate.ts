import type { Gpu } from "../../gpu/mod.ts";
import { recordGather } from "../bank/gather.ts";
import type { MemoryBank } from "../bank/memory_bank.ts";
import { BankSearch } from "../bank/search.ts";
import type { StoredThreshold } from "../bank/stored_model.ts";
import {
  leaveOneImageOut,
  type LeftOutImage,
  thresholdOf,
} from "../bank/threshold.ts";
import { ImageScores } from "../score/image_score.ts";
import { mapThreshold } from "../score/map_threshold.ts";
import type { Settings } from "../settings/settings.ts";
import type { WorkOptions } from "./progress.ts";
import type { TrainingFeatures } from "./training_features.ts";

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
  const inputs = {
    features,
    patches: extractor.features.patches,
    bank: bank.rows,
    search,
    neighbours: settings.neighbours,
    squared: settings.distance === "squared",
    ...(nearestOther && { nearby: nearestOther }),
  };
  const { images } = await leaveOneImageOut(gpu, {
    ...inputs,
    ...(onProgress && {
      onProgress: (done: number, total: number) =>
        onProgress("threshold", done, total),
    }),
  });
  const known = images.flatMap((image, index) =>
    image.nearestRow < 0 ? [] : [{ ...image, index }]
  );
  const weighed = await weigh(gpu, features, bank, search, settings, known);
  const { quantile, factor, mapQuantile } = settings.threshold;
  const { value } = thresholdOf(weighed, { quantile, factor });
  const scores = new Float32Array(images.length);
  known.forEach(({ index }, i) => scores[index] = weighed[i]);
  if (value === undefined) return { scores };
  const rule = {
    scores: "leave-one-image-out",
    images: known.length,
    quantile,
    factor,
  };
  const { height, width } = extractor.features;
  const { value: mapValue } = await mapThreshold(gpu, {
    ...inputs,
    known: known.map(({ index }) => index),
    grid: [height, width],
    size: extractor.input,
    map: settings.map,
    quantile: mapQuantile,
    factor,
    ...(onProgress && {
      onProgress: (done: number, total: number) =>
        onProgress("map threshold", done, total),
    }),
  });
  return {
    scores,
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
  bank: MemoryBank,
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
  using _memory = new ImageScores(gpu, bank.rows, search, settings)
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
