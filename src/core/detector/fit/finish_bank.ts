import type { Gpu, RowChunks } from "../../../gpu/mod.ts";
import type { BankBuilder } from "../../bank/bank_builder.ts";
import type { MemoryBank } from "../../bank/memory_bank.ts";
import type { Projection } from "../../rows/projection.ts";
import type { BankSearch } from "../../search/search.ts";
import type { StoredModel, StoredThreshold } from "../../model/stored_model.ts";
import type { Settings } from "../../settings/settings.ts";
import type { Backbone } from "../../features/backbone.ts";
import { calibrate, searchOf } from "../../threshold/calibrate.ts";
import { joinedRules, knownScores } from "../../threshold/merged_threshold.ts";
import {
  calibrateAgain,
  type CalibratedFit,
  type SecondLook,
} from "../../threshold/second_pass.ts";
import {
  chooseBank,
  pickRows,
  type RowChooser,
} from "../../bank/choose_rows.ts";
import type { FeatureExtractor } from "../../features/extractor.ts";
import type { ExtractOptions } from "../../features/feature_stream.ts";
import { fetchBank } from "./fetch_bank.ts";
import type { SampledImage } from "../../features/image_sample.ts";
import type { NamedImage } from "../../features/image_source.ts";
import type { WorkOptions } from "../../features/progress.ts";
import type { TrainingFeatures } from "../../features/training_features.ts";

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
  // What is allocated now has memory that was in use already.
  features.extractor.release();
  gpu.pool.trim();
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
  failed.move();
  return {
    bank,
    search,
    projection,
    scores,
    scored: images,
    threshold,
    mapThreshold,
    ...coverOf(radius, images, settings),
    ...(bank.rows.rows === features.rows.rows && { radiusBound: 0 }),
    passes,
    seconds: secondsOf(start, choiceEnd),
  };
}

/** What one choice among all patches tells of the covering radius. */
function coverOf(
  radius: number | undefined,
  images: number,
  { coreset }: Settings,
): Pick<FinishedBank, "radius" | "radiusImages" | "radiusBound"> {
  // Distances to the start points of "mean-of-10" hide larger ones to the bank.
  const isExact = radius !== undefined && coreset.start === "random";
  return {
    radius,
    radiusImages: isExact ? images : 0,
    radiusBound: isExact ? radius : undefined,
  };
}

function secondsOf(start: number, choiceEnd: number): FinishedBank["seconds"] {
  return {
    coreset: (choiceEnd - start) / 1000,
    threshold: (performance.now() - choiceEnd) / 1000,
  };
}

/** What banks are finished with whose features are not all held. */
export interface SecondPassParts {
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

/** What {@linkcode finishProjected} works with. */
export interface ProjectedParts extends SecondPassParts {
  /** Projected features; freed as soon as the choice is made. */
  readonly rows: RowChunks;
  /** How many of these rows are used. */
  readonly used: number;
  /** Whether the choice goes without the bounds that make it quicker. */
  readonly lean: boolean;
  /** The images used. */
  readonly sources: readonly NamedImage[];
}

/**
 * Chooses the bank from projected features, as from the features themselves, and
 * extracts images again for its rows and for their scores.
 */
export async function finishProjected(
  gpu: Gpu,
  parts: ProjectedParts,
  options: ExtractOptions,
): Promise<FinishedBank> {
  const { count, used, lean, extractor, settings, images } = parts;
  const start = performance.now();
  const { patches } = extractor.features;
  const rows = parts.rows.head(used);
  const chosen = count < used
    ? await pickRows(gpu, rows, count, patches, settings, { ...options, lean })
    : {
      indices: Uint32Array.from({ length: used }, (_, row) => row),
      radius: 0,
      passes: 0,
    };
  parts.rows.dispose();
  gpu.pool.trim();
  using failed = new DisposableStack();
  const { indices, radius, passes, nearestOther: nearby } = chosen;
  const bank = failed.use(await fetchBank(gpu, indices, parts, options));
  gpu.pool.trim();
  const choiceEnd = performance.now();
  const search = failed.use(await searchOf(gpu, bank));
  const { look: _, ...scored } = await scoreAgain(
    gpu,
    { ...parts, bank, search, ...(nearby && { nearby }) },
    options,
  );
  failed.move();
  return {
    bank,
    search,
    projection: count < used ? parts.projection : undefined,
    ...scored,
    ...coverOf(radius, images, settings),
    passes,
    seconds: secondsOf(start, choiceEnd),
  };
}

/** What {@linkcode finishStreamed} works with. */
export interface StreamedParts extends SecondPassParts {
  /** The rows that are left. */
  readonly builder: BankBuilder;
  /** Chooses among them. */
  readonly chooser: RowChooser;
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
  const { builder, chooser, count } = parts;
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
  const { look, ...scored } = await scoreAgain(
    gpu,
    { ...parts, bank, search },
    options,
  );
  failed.move();
  return {
    bank,
    search,
    projection: parts.projection,
    ...scored,
    radius: look.radius,
    radiusImages: look.radius === undefined ? 0 : look.images,
    radiusBound: Number.isNaN(bound) ? undefined : bound,
    passes: chooser.passes,
    seconds: secondsOf(start, choiceEnd),
  };
}

/** Extracts the images drawn once more and sets the thresholds from them. */
async function scoreAgain(
  gpu: Gpu,
  parts: SecondPassParts & CalibratedFit,
  options: ExtractOptions,
): Promise<
  & Pick<FinishedBank, "scores" | "scored" | "threshold" | "mapThreshold">
  & { readonly look: SecondLook }
> {
  const { images, settings, known } = parts;
  const look = await calibrateAgain(gpu, parts.sample, parts, options);
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
  const scored = look.images + knownScores(earlier).length;
  return { scores, scored, threshold, mapThreshold, look };
}
