import type { Gpu } from "../../gpu/mod.ts";
import type { NearRows } from "../bank/choose_rows.ts";
import type { WorkOptions } from "../features/progress.ts";
import type { ExtractedPatches } from "../features/training_features.ts";
import type { StoredSample, StoredThreshold } from "../model/stored_model.ts";
import type { PatchMask } from "../features/foreground.ts";
import {
  distanceScale,
  meanOfLargest,
  topCount,
} from "../score/distance_scale.ts";
import type { Settings, ThresholdSettings } from "../settings/settings.ts";
import { sampleOf } from "./carried_sample.ts";
import type { Folds } from "./folds.ts";
import { oddImages } from "./odd_images.ts";
import { expectedFalseAlarms, promisedThreshold } from "./promise.ts";
import {
  heldOutScores,
  layoutOf,
  type ScoringBank,
  type TrainingScore,
} from "./training_scores.ts";

/** How anomalous each training image would be had it not been trained on. */
export interface TrainingRecord {
  /** Image scores; NaN where one is not known. */
  readonly scores: Float32Array<ArrayBuffer>;
  /** The largest pixels of their maps; NaN where one is not known. */
  readonly maxima: Float32Array<ArrayBuffer>;
}

/** Scores of training images and the largest pixels of their maps. */
export interface KnownScores {
  /** Image scores; NaN where one is not known. */
  readonly scores: ArrayLike<number>;
  /** The largest pixels of their maps; NaN where one is not known. */
  readonly maxima: ArrayLike<number>;
}

/** The thresholds of a model, and what its training images say of themselves. */
export interface Thresholds {
  /** That of image scores; absent when no image has a score. */
  readonly threshold?: StoredThreshold;
  /** That of anomaly maps' pixels. */
  readonly mapThreshold?: StoredThreshold;
  /** Images that look unlike the others, the oddest first. */
  readonly odd: readonly number[];
  /** Whether too many do so to be odd: there may be two kinds of parts. */
  readonly secondKind: boolean;
}

/** What the training images say about the thresholds. */
export interface Calibration extends Thresholds, TrainingRecord {
  /** What is carried along of them, where that was asked for. */
  readonly sample?: StoredSample;
}

/** What a threshold's rule says beside its numbers. */
export interface ThresholdFacts {
  /** How images were divided to be scored. */
  readonly folds?: Folds;
  /** How many images the scored ones were drawn from, where they are not all. */
  readonly drawnFrom?: number;
  /**
   * Map thresholds of earlier models that do not have the largest pixels of their
   * images' maps: where no others are known, the highest one counts.
   */
  readonly mapThresholds?: readonly (StoredThreshold | undefined)[];
  /** What else there is to say, as plain JSON. */
  readonly more?: Readonly<Record<string, unknown>>;
  /**
   * Whether scores and maxima are means over the members of an ensemble on their
   * scales, so that they are no distances; they are by default.
   */
  readonly areJoint?: boolean;
}

/**
 * Scores the images that a bank was chosen from, each against the bank that would
 * have been chosen without its fold, and sets the thresholds of image scores and
 * of anomaly maps.
 *
 * @param gpu The device.
 * @param patches Patches of all training images.
 * @param bank The bank as each fold sees it, the folds of the images, rows of
 * the bank near the patches, which patches are of the part, and places of images
 * to be carried along. Where images come in several views, patches, folds and
 * places are those of all of them, scores and masks those of the images.
 * @param settings How scores are made and what thresholds follow from them.
 * @param options Progress.
 */
export async function calibrate(
  gpu: Gpu,
  { rows, extractor }: ExtractedPatches,
  { mended, folds, near, carry, ...images }: Omit<ScoringBank, "settings"> & {
    readonly folds: Folds;
    readonly near: NearRows | undefined;
    readonly views?: number;
    readonly tiles?: number;
    readonly masks?: readonly PatchMask[] | undefined;
    readonly carry?: ReadonlySet<number>;
  },
  settings: Settings,
  { onProgress }: WorkOptions,
): Promise<Calibration> {
  const { patches } = extractor.features;
  const { views = 1, tiles = 1, masks } = images;
  const inputs = views * tiles;
  const found = await heldOutScores(
    gpu,
    { mended, settings },
    {
      ...{ rows, ...layoutOf(extractor), folds: folds.folds },
      ...{ views, tiles, masks },
      near: near && findable(near, mended.images, folds.folds, patches),
      ...(carry && { carry }),
    },
    onProgress && {
      onProgress: (stage, done, total) =>
        onProgress(stage, Math.floor(done / tiles), total / tiles),
    },
  );
  const record = recordOf(found, rows.rows / patches / inputs, {
    views: inputs,
    top: topCount(tiles * patches, settings.topShare),
  });
  return {
    ...record,
    ...thresholdsOf(record, settings, { folds }),
    ...(carry && { sample: sampleOf(found, layoutOf(extractor), views) }),
  };
}

/**
 * The nearest bank row of each patch that its fold finds.
 *
 * @param near The nearest bank rows of two folds.
 * @param owners Fold of each bank row.
 * @param folds Fold of each image.
 * @param patches Patches of an image.
 */
export function findable(
  near: NearRows,
  owners: ArrayLike<number>,
  folds: ArrayLike<number>,
  patches: number,
): Uint32Array<ArrayBuffer> {
  return near.rows.map((row, patch) =>
    owners[row] === folds[Math.floor(patch / patches)]
      ? near.others[patch]!
      : row
  );
}

/**
 * What is known of all training images: each is as anomalous as its worst tile,
 * or as the largest patch scores of all its tiles are on the average. Where maps
 * of tiles overlap they are averaged, so that no pixel of an image's map is above
 * the largest of its tiles' maps.
 *
 * @param found Images or tiles that were scored; their places count on from those
 * of the earlier images.
 * @param images How many images there are.
 * @param more What was known of the first ones, how many views or tiles each has,
 * and how many patch scores make an image's where those of all tiles do.
 */
export function recordOf(
  found: readonly Pick<
    TrainingScore,
    "place" | "score" | "maximum" | "largest"
  >[],
  images: number,
  { earlier, views = 1, top = 1 }: {
    readonly earlier?: TrainingRecord | undefined;
    readonly views?: number;
    readonly top?: number;
  } = {},
): TrainingRecord {
  const scores = new Float32Array(images).fill(NaN);
  const maxima = new Float32Array(images).fill(NaN);
  const keepLarger = (
    values: Float32Array,
    image: number,
    value: number,
  ): void => {
    if (!(value <= values[image]!)) values[image] = value;
  };
  for (const { place, score, maximum } of found) {
    const image = Math.floor(place / views);
    keepLarger(scores, image, score);
    keepLarger(maxima, image, maximum);
  }
  const byImage = Map.groupBy(
    found.filter(({ largest }) => largest !== undefined),
    ({ place }) => Math.floor(place / views),
  );
  for (const [image, tiles] of byImage) {
    scores[image] = meanOfLargest(tiles.map(({ largest }) => largest!), top);
  }
  if (earlier) {
    scores.set(earlier.scores);
    maxima.set(earlier.maxima);
  }
  return { scores, maxima };
}

/**
 * The thresholds of image scores and of anomaly maps: a share of good parts is
 * above each, as promised; or quantiles, where the settings say so. None where
 * there are no scores. Images that look unlike the others do not count for what is
 * promised; a quantile is one of all images.
 *
 * Images of earlier models count with the scores they had, as they are gone: more
 * rows can only lower those, rows that were dropped can raise them by the
 * distance to what stands for them.
 *
 * @param record What is known of the training images.
 * @param settings The promise, or quantiles; what distances are.
 */
export function thresholdsOf(
  { scores, maxima }: KnownScores,
  settings: Settings,
  {
    folds,
    drawnFrom,
    mapThresholds = [],
    areJoint = false,
    more,
  }: ThresholdFacts = {},
): Thresholds {
  const { quantile, mapQuantile } = settings.threshold;
  const isSquared = distanceScale(settings.distance).squared && !areJoint;
  const from = `held-out folds${
    areJoint ? ", mean of members on their scales" : ""
  }`;
  const distances = (values: ArrayLike<number>): number[] =>
    Array.from(values, isSquared ? Math.sqrt : Number);
  const { odd, secondKind } = oddAmong(distances(scores), distances(maxima));
  const rule = {
    ...(folds && {
      folds: folds.count,
      ...(folds.groupBy !== undefined && { group_by: folds.groupBy }),
    }),
    ...(drawnFrom !== undefined && { drawn_from: drawnFrom }),
    ...(odd.length > 0 && { odd_images: odd }),
    ...more,
    ...(secondKind && { second_kind: true }),
  };
  const how = { ...settings.threshold, isSquared, odd, rule };
  const threshold = storedThreshold(scores, {
    ...{ ...how, quantile },
    scores: from,
  });
  if (threshold === undefined) return { odd, secondKind };
  const mapThreshold = storedThreshold(maxima, {
    ...{ ...how, quantile: mapQuantile },
    scores: `map maxima of ${from}`,
  }) ?? mapThresholds.reduce(
    (a, b) => a === undefined || b !== undefined && b.value > a.value ? b : a,
    undefined,
  );
  return {
    threshold,
    ...(mapThreshold && { mapThreshold }),
    ...{ odd, secondKind },
  };
}

/** How {@linkcode storedThreshold} makes a threshold. */
export interface ThresholdMaking extends
  Pick<
    ThresholdSettings,
    "falseAlarms" | "quantile" | "factor"
  > {
  /** Whether scores are squared distances. */
  readonly isSquared?: boolean;
  /** Images that do not count for what is promised. */
  readonly odd?: readonly number[];
  /** What the scores are. */
  readonly scores: string;
  /** What else the rule says. */
  readonly rule?: Readonly<Record<string, unknown>>;
}

/**
 * A threshold and how it came about.
 *
 * @param scores Of good images that were held out; those that are not finite are
 * not known.
 * @param making The promise, or a quantile.
 * @returns Nothing where there are no scores to make it of.
 */
export function storedThreshold(
  scores: ArrayLike<number>,
  { falseAlarms, quantile, factor, isSquared = false, ...making }:
    ThresholdMaking,
): StoredThreshold | undefined {
  const { odd = [], scores: what, rule: more } = making;
  if (quantile !== null) {
    const { value, images } = thresholdOf(scores, { quantile, factor });
    const rule = { rule: "quantile", scores: what, images, quantile, factor };
    return value === undefined
      ? undefined
      : { value, rule: { ...rule, ...more } };
  }
  const left = new Set(odd);
  const counted = known(
    Array.from(scores).filter((_, image) => !left.has(image)),
  );
  const found = promisedThreshold(
    isSquared ? counted.map(Math.sqrt) : counted,
    falseAlarms,
  );
  if (found === undefined) return undefined;
  const { value, images, rule: { kind, ...numbers } } = found;
  return {
    value: (isSquared ? value ** 2 : value) * factor,
    rule: {
      ...{ rule: kind, scores: what, images, false_alarms: falseAlarms },
      expected_false_alarms: expectedFalseAlarms(images, falseAlarms),
      ...numbers,
      ...(factor !== 1 && { factor }),
      ...more,
    },
  };
}

/** Images that are odd in their scores or in their maps. */
function oddAmong(
  scores: readonly number[],
  maxima: readonly number[],
): { odd: number[]; secondKind: boolean } {
  const all = Array.from(scores.keys());
  const scored = all.filter((image) => Number.isFinite(scores[image]!));
  const mapped = scored.filter((image) => Number.isFinite(maxima[image]!));
  const kinds = mapped.length === scored.length ? [scores, maxima] : [scores];
  const { odd, secondKind } = oddImages(
    ...kinds.map((kind) => scored.map((image) => kind[image]!)),
  );
  return { odd: odd.map((place) => scored[place]!), secondKind };
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
 * @param trainScores Scores of images that were held out.
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
  const below = sorted[Math.floor(place)]!;
  const above = sorted[Math.ceil(place)]!;
  const value = (below + (above - below) * (place - Math.floor(place))) *
    factor;
  return { value, images: sorted.length };
}

function known(scores: ArrayLike<number>): number[] {
  return Array.from(scores).filter(Number.isFinite);
}
