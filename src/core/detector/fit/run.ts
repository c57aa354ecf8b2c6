import type { Gpu } from "../../../gpu/mod.ts";
import type { NearRows, OwnedMends } from "../../bank/choose_rows.ts";
import type { MemoryBank } from "../../bank/memory_bank.ts";
import { MendedBank } from "../../bank/mended_bank.ts";
import type { Backbone } from "../../features/backbone.ts";
import type {
  ExtractOptions,
  FeatureStream,
  ImageLog,
} from "../../features/feature_stream.ts";
import type { SampledImage } from "../../features/image_sample.ts";
import type { Tile } from "../../features/tile.ts";
import type { StoredModel } from "../../model/stored_model.ts";
import type { Projection } from "../../rows/projection.ts";
import { usesForeground } from "../../features/foreground.ts";
import type { ForegroundSettings, Settings } from "../../settings/settings.ts";
import {
  type Calibration,
  recordOf,
  thresholdsOf,
} from "../../threshold/calibrate.ts";
import { drawCarried, sampleOf } from "../../threshold/carried_sample.ts";
import type { Folds } from "../../threshold/folds.ts";
import { topCount } from "../../score/distance_scale.ts";
import { secondPass } from "../../threshold/second_pass.ts";
import { layoutOf } from "../../threshold/training_scores.ts";
import type { FitDemand, FitPlan, MemoryPlan } from "./plan.ts";

/** What a fit works on. */
export interface FitParts {
  /** The network, tapped at the settings' layers. */
  readonly backbone: Backbone;
  /** Every switch of the method. */
  readonly settings: Settings;
  /** A model that the images are added to; by default none. */
  readonly known?: StoredModel;
  /** Which part of all images these are, `[i, n]`; by default all. */
  readonly shard?: readonly [number, number];
  /** The place of the one tile that counts of each image; by default all do. */
  readonly only?: number | undefined;
}

/** How a fit works. */
export interface FitWork extends ExtractOptions {
  /** GPU bytes that may be allocated; `undefined`: no limit. */
  readonly memoryBudget: number | undefined;
  /** Images that are scored for the threshold when features do not fit. */
  readonly thresholdImages: number;
  /** What images of a group have in common; by default each is its own. */
  readonly groupBy?: RegExp;
  /** Called once the first batch is done, before all other work. */
  readonly onPlan?: (plan: FitPlan) => void;
}

/** A fit whose memory is planned. */
export interface PlannedWork extends FitParts {
  /** The device. */
  readonly gpu: Gpu;
  /** The images. */
  readonly stream: FeatureStream;
  /** Views of each image. */
  readonly views: number;
  /** Tiles of each of them that count. */
  readonly tiles: number;
  /** Progress, cancelling, what is scored. */
  readonly options: FitWork;
  /** What was planned for. */
  readonly demand: FitDemand;
  /** How memory is divided. */
  readonly memory: MemoryPlan;
  /** What rows are chosen with, if anything. */
  readonly projection: Projection | undefined;
}

/** How far patches are from the bank, in the space that it was chosen in. */
interface Cover {
  /** The largest distance of a patch measured; `undefined`: none was. */
  readonly radius: number | undefined;
  /** Images whose patches it was measured over. */
  readonly radiusImages: number;
  /** What it cannot exceed for any patch, where that is known. */
  readonly radiusBound: number | undefined;
}

/** A memory bank as a {@linkcode FitRun} chose it. */
export interface ChosenRows {
  /** The bank. */
  readonly bank: MemoryBank;
  /** What its rows were chosen with. */
  readonly projection: Projection | undefined;
  /** Passes over the rows at hand. */
  readonly passes: number;
  /** Bank rows near each patch, where the choice saw all. */
  readonly near?: NearRows | undefined;
  /** What mends the bank for each fold. */
  readonly mends?: OwnedMends | undefined;
}

/** What a {@linkcode FitRun} says of the training images. */
export interface ScoredFit extends Calibration, Cover {
  /** Images that have a score. */
  readonly scored: number;
}

/** Collects patches, makes the bank of them and scores the images. */
export interface FitRun<C extends ChosenRows = ChosenRows> extends Disposable {
  /** Images used. */
  readonly log: ImageLog;
  /** Images of the model that they are added to, views and tiles counted. */
  readonly earlier: number;
  /** Patches that the bank stands for, those of the earlier model included. */
  readonly patches: number;
  /** Buckets that the patches were divided into. */
  readonly buckets: number;
  /** Seconds of the choices between buckets. */
  readonly reducing: number;
  /**
   * Extracts all images.
   *
   * @param first The stream's first batch.
   */
  collect(first: readonly Tile[]): Promise<void>;
  /** Makes the bank. */
  choose(): Promise<C>;
  /**
   * Scores the images with that bank and sets the thresholds.
   *
   * @param settings The fit's, with what it decided.
   */
  score(chosen: C, settings: Settings): Promise<ScoredFit>;
}

/** What the training images decide of the foreground, when all were seen. */
export function decidedForeground(
  { settings: { foreground }, stream }: PlannedWork,
): ForegroundSettings {
  const { height, width } = stream.extractor.features;
  const isUsed = usesForeground(foreground, stream.masks, [height, width]);
  return { ...foreground, mask: isUsed ? "on" : "off" };
}

/** What one choice among the patches of all images tells of the radius. */
export function coverOf(
  radius: number | undefined,
  images: number,
  { coreset }: Settings,
): Cover {
  // Distances to the start points of "mean-of-10" hide larger ones to the bank.
  const isExact = radius !== undefined && coreset.start === "random";
  return {
    radius,
    radiusImages: isExact ? images : 0,
    radiusBound: isExact ? radius : undefined,
  };
}

/**
 * Scores the images drawn by extracting them once more, where their features are
 * gone.
 *
 * @param work The fit.
 * @param chosen The bank.
 * @param sample The images.
 * @param folds Folds of all tiles of all images in all their views, earlier ones
 * included.
 */
export async function scoreAgain(
  { gpu, stream, memory, options, tiles, ...work }: PlannedWork,
  chosen: ChosenRows,
  sample: readonly SampledImage[],
  folds: Folds,
): Promise<Omit<ScoredFit, "radiusBound">> {
  const { settings, backbone, known, demand: { inputs, batch } } = work;
  const { extractor } = stream;
  const { block } = memory;
  using mended = await MendedBank.create(
    gpu,
    chosen.bank,
    (image) => folds.folds[image]!,
    chosen.mends,
  );
  const carry = carriedImages(
    { ...work, options },
    sample.map(({ index }) => index),
  );
  const again = await secondPass(gpu, sample, {
    ...{ mended, settings, backbone, extractor, block, tiles },
    ...{ projection: work.projection, folds: folds.folds, near: chosen.near },
    ...{ only: work.only, like: stream.like },
    ...(carry && { carry }),
  }, { ...options, batch });
  const images = folds.folds.length / inputs;
  const earlier = known && {
    scores: Float32Array.from(known.trainScores),
    maxima: Float32Array.from(
      known.trainMapMaxima ?? known.trainScores.map(() => NaN),
    ),
  };
  const record = recordOf(again.scores, images, {
    ...{ earlier, views: inputs },
    top: topCount(tiles * extractor.features.patches, settings.topShare),
  });
  const drawnFrom = images - (earlier?.scores.length ?? 0);
  return {
    ...record,
    ...thresholdsOf(record, settings, {
      folds,
      mapThresholds: [known?.mapThreshold],
      ...(again.images < drawnFrom && { drawnFrom }),
    }),
    ...(carry &&
      { sample: sampleOf(again.scores, layoutOf(extractor), work.views) }),
    scored: record.scores.filter(Number.isFinite).length,
    radius: again.radius,
    radiusImages: again.radius === undefined ? 0 : again.images,
  };
}

/**
 * The images that a part carries along: its share of those that set the
 * threshold.
 *
 * @param work The fit.
 * @param images Those that are scored, views counted.
 * @returns Nothing where the fit is of all images.
 */
export function carriedImages(
  { shard, settings, options }: Pick<
    PlannedWork,
    "shard" | "settings" | "options"
  >,
  images: readonly number[],
): ReadonlySet<number> | undefined {
  if (shard === undefined) return undefined;
  const most = Math.ceil(options.thresholdImages / shard[1]);
  return drawCarried(images, most, settings.seed);
}
