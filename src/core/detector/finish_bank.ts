import type { Gpu } from "../../gpu/mod.ts";
import type { BankBuilder } from "../bank/bank_builder.ts";
import type { MemoryBank } from "../bank/memory_bank.ts";
import type { Projection } from "../bank/projection.ts";
import type { BankSearch } from "../bank/search.ts";
import type { StoredModel, StoredThreshold } from "../bank/stored_model.ts";
import type { Settings } from "../settings/settings.ts";
import type { Backbone } from "./backbone.ts";
import { calibrate, searchOf } from "./calibrate.ts";
import { joinedRules, knownScores } from "./join_rules.ts";
import { calibrateAgain } from "./calibrate_again.ts";
import { chooseBank } from "./choose_bank.ts";
import type { FeatureExtractor } from "./extractor.ts";
import type { ExtractOptions } from "./feature_stream.ts";
import type { SampledImage } from "./image_sample.ts";
import type { WorkOptions } from "./progress.ts";
import type { RowChooser } from "./row_chooser.ts";
import type { TrainingFeatures } from "./training_features.ts";

/** A memory bank with its threshold. */
export interface FinishedBank {
  /** The bank. */
  readonly bank: MemoryBank;
  /** Finds neighbours in it. */
  readonly search: BankSearch;
  /** What its rows were chosen with. */
  readonly projection: Projection | undefined;
  /** Leave-one-image-out score of each image, 0 where it is not known. */
  readonly scores: Float32Array<ArrayBuffer>;
  /** Images that were scored. */
  readonly scored: number;
  /** The threshold, if any image has a score. */
  readonly threshold: StoredThreshold | undefined;
  /** The threshold of anomaly maps, if any image has a score. */
  readonly mapThreshold: StoredThreshold | undefined;
  /** The largest distance of a patch measured; `undefined`: none was. */
  readonly radius: number | undefined;
  /** Images whose patches it was measured over. */
  readonly radiusImages: number;
  /** What it cannot exceed for any patch, where that is known. */
  readonly radiusBound: number | undefined;
  /** Passes over the rows at hand. */
  readonly passes: number;
  /** Seconds of the choice and of everything after it. */
  readonly seconds: { readonly coreset: number; readonly threshold: number };
}

/** Chooses the bank from all features at once and scores their images. */
export async function finishWhole(
  gpu: Gpu,
  features: TrainingFeatures,
  settings: Settings,
  options: WorkOptions,
): Promise<FinishedBank> {
  const start = performance.now();
  const chosen = await chooseBank(gpu, features, settings, options);
  const { bank, projection, radius, passes } = chosen;
  using failed = new DisposableStack();
  failed.use(bank);
  gpu.pool.trim();
  const choiceEnd = performance.now();
  const search = failed.use(await searchOf(gpu, bank));
  const { scores, threshold, mapThreshold } = await calibrate(
    gpu,
    features,
    { ...chosen, search },
    settings,
    options,
  );
  const images = features.names.length;
  // Distances to the start points of "mean-of-10" hide larger ones to the bank.
  const isExact = radius !== undefined && settings.coreset.start === "random";
  failed.move();
  return {
    bank,
    search,
    projection,
    scores,
    scored: images,
    threshold,
    mapThreshold,
    radius,
    radiusImages: isExact ? images : 0,
    radiusBound: bank.rows.rows === features.rows.rows
      ? 0
      : isExact
      ? radius
      : undefined,
    passes,
    seconds: {
      coreset: (choiceEnd - start) / 1000,
      threshold: (performance.now() - choiceEnd) / 1000,
    },
  };
}

/** What {@linkcode finishStreamed} works with. */
export interface StreamedParts {
  /** The rows that are left. */
  readonly builder: BankBuilder;
  /** Chooses among them. */
  readonly chooser: RowChooser;
  /** Rows of the bank. */
  readonly count: number;
  /** Images to score, and new images in all. */
  readonly sample: readonly SampledImage[];
  /** Images added. */
  readonly images: number;
  /** Images that are scored together. */
  readonly block: number;
  /** The network. */
  readonly backbone: Backbone;
  /** Images to features. */
  readonly extractor: FeatureExtractor;
  /** Every switch of the method. */
  readonly settings: Settings;
  /** What rows are chosen with. */
  readonly projection: Projection | undefined;
  /** The model that images were added to, if there was one. */
  readonly known: StoredModel | undefined;
}

/**
 * Chooses the bank from the rows that are left, and extracts images a second
 * time for their scores.
 */
export async function finishStreamed(
  gpu: Gpu,
  parts: StreamedParts,
  options: ExtractOptions,
): Promise<FinishedBank> {
  const { builder, chooser, count, images, settings, known } = parts;
  const start = performance.now();
  const { bank, radius: bound } = await builder.finish(
    count,
    (...rows) => chooser.choose(...rows),
  );
  using failed = new DisposableStack();
  failed.use(bank);
  gpu.pool.trim();
  const choiceEnd = performance.now();
  const search = failed.use(await searchOf(gpu, bank));
  const look = await calibrateAgain(
    gpu,
    parts.sample,
    { ...parts, bank, search },
    options,
  );
  const earlier = known?.trainScores ?? new Float32Array(0);
  const scores = new Float32Array(earlier.length + images);
  scores.set(earlier);
  for (const { image, score } of look.scores) scores[image] = score;
  const { threshold, mapThreshold } = joinedRules(
    known === undefined ? [] : [known],
    settings,
    {
      scores: look.scores.map(({ score }) => score),
      maxima: look.maxima,
      ...(look.images < images && { drawnFrom: images }),
    },
  );
  failed.move();
  return {
    bank,
    search,
    projection: parts.projection,
    scores,
    scored: look.images + knownScores(earlier).length,
    threshold,
    mapThreshold,
    radius: look.radius,
    radiusImages: look.radius === undefined ? 0 : look.images,
    radiusBound: Number.isNaN(bound) ? undefined : bound,
    passes: chooser.passes,
    seconds: {
      coreset: (choiceEnd - start) / 1000,
      threshold: (performance.now() - choiceEnd) / 1000,
    },
  };
}
