import type { Gpu } from "../../../gpu/mod.ts";
import { projectionFor } from "../../bank/choose_rows.ts";
import {
  type MemoryBank,
  splitOrigins,
  type ViewedOrigins,
} from "../../bank/memory_bank.ts";
import { originsByImage } from "../../bank/tile_origins.ts";
import { viewCount, viewsOf } from "../../images/views.ts";
import type { StoredBackbone } from "../../features/backbone.ts";
import {
  FeatureStream,
  type ImageFeed,
} from "../../features/feature_stream.ts";
import type { ModelOnGpu } from "../load.ts";
import { stoppable } from "../../features/progress.ts";
import type { Tile } from "../../features/tile.ts";
import type {
  StoredCoverage,
  StoredModel,
  StoredSample,
} from "../../model/stored_model.ts";
import type { Projection } from "../../rows/projection.ts";
import { BankSearch } from "../../search/search.ts";
import type { Settings } from "../../settings/settings.ts";
import { VERSION } from "../../settings/version.ts";
import type { Thresholds, TrainingRecord } from "../../threshold/calibrate.ts";
import { HeldRun } from "./held_run.ts";
import { planMemory } from "./plan.ts";
import { ProjectedRun } from "./projected_run.ts";
import { type FitReport, trainingFacts } from "./report.ts";
import {
  decidedForeground,
  type FitParts,
  type FitRun,
  type FitWork,
  type PlannedWork,
} from "./run.ts";
import { secondsSince } from "./time.ts";

/** A model with its memory bank still on the GPU, and what was done. */
export interface FittedModel extends ModelOnGpu {
  /** What was done. */
  readonly report: FitReport;
}

/**
 * Fits a model: features, memory bank, threshold. Where the features outgrow
 * the memory budget, their projected copies are held, which gives the same bank;
 * where those do, too, features are reduced bucket by bucket.
 *
 * @throws {RangeError} If no image could be used or the budget is too small.
 */
export async function fitModel(
  gpu: Gpu,
  parts: FitParts,
  feed: ImageFeed,
  given: FitWork,
): Promise<FittedModel> {
  const groupBy = given.groupBy ?? knownGroups(parts.known);
  const options = stoppable({ ...given, ...(groupBy && { groupBy }) });
  const start = performance.now();
  gpu.pool.trim();
  gpu.pool.resetPeak();
  const like = parts.known && sizeOf(parts.known);
  const views = viewsOf(parts.settings.augment);
  using stream = new FeatureStream(
    gpu,
    { ...parts, like },
    { ...feed, views },
    options,
  );
  const first = await stream.next();
  const settings = parts.shard ? shardSettings(parts.settings) : parts.settings;
  const work = await planWork(
    {
      ...{ ...parts, settings, gpu, stream, options },
      views: views.length,
      tiles: parts.only === undefined ? stream.tiles[0] * stream.tiles[1] : 1,
    },
    feed,
    first,
  );
  using run: FitRun = work.memory.holds === "projections"
    ? new ProjectedRun(work)
    : new HeldRun(work);
  await run.collect(first);
  const choiceStart = performance.now();
  using failed = new DisposableStack();
  const chosen = await run.choose();
  const bank = failed.use(chosen.bank);
  gpu.pool.trim();
  const coreset = secondsSince(choiceStart) + run.reducing;
  const scoringStart = performance.now();
  using _mends = chosen.mends;
  const foreground = decidedForeground(work);
  const scored = await run.score(chosen, { ...settings, foreground });
  gpu.pool.trim();
  const threshold = secondsSince(scoringStart);
  const search = failed.use(await BankSearch.create(gpu, bank.rows));
  const { radiusBound, radius, radiusImages } = scored;
  const { known, shard, backbone } = parts;
  const { log, patches } = run;
  const origins = splitOrigins(bank.origin, views.length);
  const model = await storedModel(gpu, {
    ...scored,
    ...{ bank, projection: chosen.projection },
    origins: {
      ...origins,
      origin: originsByImage(origins.origin, stream.tiles, {
        ...{ grid: stream.extractor.features, only: parts.only },
      }),
    },
    coverage: {
      patches,
      ...(radiusBound !== undefined && { radius: radiusBound }),
      ...(shard && { shard: shard.join("/") }),
    },
    names: [...known?.imageNames ?? [], ...log.names],
    sizes: Int32Array.from([...known?.imageSizes ?? [], ...log.sizes.flat()]),
    settings: { ...parts.settings, foreground },
    minArea: known?.minArea,
    backbone: backbone.stored(),
  });
  const report: FitReport = {
    images: model.imageNames.length,
    ...{ patches, bankRows: bank.rows.rows, dim: bank.dim },
    threshold: model.threshold?.value ?? NaN,
    mapThreshold: model.mapThreshold?.value ?? NaN,
    ...{ radius, radiusImages, radiusBound },
    buckets: run.buckets,
    passes: chosen.passes,
    thresholdImages: scored.scored,
    ...trainingFacts(model, scored.odd),
    seconds: {
      ...stream.seconds,
      ...{ coreset, threshold, total: secondsSince(start) },
    },
    peakGpuBytes: gpu.peakBytes,
    plannedGpuBytes: work.memory.bytes,
    adapter: gpu.adapterName,
  };
  failed.move();
  return { report, model, bank, search, extractor: stream.takeExtractor() };
}

/**
 * Allocates what a fit needs whatever the number of images, and plans the rest
 * of its memory.
 *
 * @throws {RangeError} If no image could be used, or memory is too small.
 */
async function planWork(
  work: Omit<PlannedWork, "demand" | "memory" | "projection">,
  { count: images, areListed = false }: ImageFeed,
  first: readonly Tile[],
): Promise<PlannedWork> {
  const { gpu, settings, known, views, tiles } = work;
  const { stream: { extractor, batch } } = work;
  const { memoryBudget: budget } = work.options;
  const { patches, paddedDim, dim } = extractor.features;
  const inputs = views * tiles;
  if (await extractor.tune(first.length)) extractor.release(first.length);
  const session = await extractor.session(first.length);
  await extractor.encode(session, first);
  // The last batch may be smaller and has activations of its own.
  const fixedBytes = gpu.pool.bytes + extractor.activationBytes(batch);
  const earlier = known === undefined
    ? 0
    : known.coverage?.patches ?? known.imageNames.length * inputs * patches;
  const samples = images === undefined
    ? settings.coreset.maxBank ?? patches
    : images * inputs * patches + earlier;
  const projection = projectionFor(settings, dim, samples, known?.projection);
  const [height, width] = extractor.input;
  const demand = {
    ...{ gpu, fixedBytes, patches, dim: paddedDim, settings, batch, budget },
    ...{ images, inputs, areListed, pixels: height * width },
    projected: projection?.outputs,
    ...(known && { known: { rows: known.rows, patches: earlier } }),
  };
  return { ...work, demand, memory: planMemory(demand), projection };
}

/** How the images that a model was fitted to were grouped. */
export function knownGroups(
  known: StoredModel | undefined,
): RegExp | undefined {
  const pattern = known?.threshold?.rule["group_by"];
  return typeof pattern === "string" ? new RegExp(pattern, "u") : undefined;
}

/** Size of a model's images, the first for all. */
function sizeOf({ imageSizes }: StoredModel): readonly [number, number] {
  const [width = 1, height = 1] = imageSizes;
  return [width, height];
}

/** What a model is made of. */
interface ModelParts
  extends TrainingRecord, Pick<Thresholds, "threshold" | "mapThreshold"> {
  /** The memory bank. */
  readonly bank: MemoryBank;
  /** Where its rows come from. */
  readonly origins: ViewedOrigins;
  /** What its rows were chosen with, if anything. */
  readonly projection: Projection | undefined;
  /** What it stands for. */
  readonly coverage: StoredCoverage;
  /** Names of the training images. */
  readonly names: readonly string[];
  /** Width and height of each in pixels. */
  readonly sizes: Int32Array<ArrayBuffer>;
  /** Every switch of the method. */
  readonly settings: Settings;
  /** The least area of regions of maps, if there is one. */
  readonly minArea: number | undefined;
  /** The network. */
  readonly backbone: StoredBackbone;
  /** What a part carries along. */
  readonly sample?: StoredSample | undefined;
}

/** Reads the bank back and puts a model together. */
export async function storedModel(
  gpu: Gpu,
  parts: ModelParts,
): Promise<StoredModel> {
  const { bank, projection, settings } = parts;
  const { threshold, mapThreshold, minArea } = parts;
  const { origins: { origin, view } } = parts;
  return {
    memoryBank: await bank.download(gpu),
    rows: bank.rows.rows,
    dim: bank.dim,
    bankPrecision: "f32",
    origin,
    ...(viewCount(settings.augment) > 1 && { originView: view }),
    ...(projection && {
      projection: {
        rows: projection.outputs,
        columns: projection.inputs,
        data: projection.matrix,
      },
    }),
    trainScores: parts.scores,
    trainMapMaxima: parts.maxima,
    settings: { ...settings },
    seed: settings.seed,
    backbone: parts.backbone,
    imageNames: parts.names,
    imageSizes: parts.sizes,
    ...(threshold && { threshold }),
    ...(mapThreshold && { mapThreshold }),
    ...(minArea !== undefined && { minArea }),
    coverage: parts.coverage,
    ...(parts.sample && { sample: parts.sample }),
    softwareVersion: VERSION,
  };
}

/** A shard keeps twice the rows, so that a merge has something to choose from. */
export function shardSettings(settings: Settings): Settings {
  const { ratio, maxBank } = settings.coreset;
  const coreset = {
    ...settings.coreset,
    ratio: Math.min(1, 2 * ratio),
    maxBank: maxBank === null ? null : 2 * maxBank,
  };
  return { ...settings, coreset };
}
