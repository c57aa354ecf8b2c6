import { Gpu, RowChunks } from "../../../gpu/mod.ts";
import { roundUp } from "../../../wgsl/grid.ts";
import { BankBuilder } from "../../bank/bank_builder.ts";
import { projectionFor, RowChooser } from "../../bank/choose_rows.ts";
import { joinOrigins, splitOrigins } from "../../bank/memory_bank.ts";
import { MendedBank } from "../../bank/mended_bank.ts";
import { viewCount } from "../../images/views.ts";
import type { StoredCoverage, StoredModel } from "../../model/stored_model.ts";
import { bankRows, settingsFromJson } from "../../settings/resolve_settings.ts";
import type { Settings } from "../../settings/settings.ts";
import {
  recordOf,
  type Thresholds,
  thresholdsOf,
  type TrainingRecord,
} from "../../threshold/calibrate.ts";
import { joinSamples } from "../../threshold/carried_sample.ts";
import { carriedScores } from "../../threshold/carried_scores.ts";
import { foldsByName } from "../../threshold/folds.ts";
import { knownGroups, shardSettings, storedModel } from "./fit.ts";
import {
  checkTogether,
  type MergeDemand,
  mergeFacts,
  positionText,
} from "./merge_checks.ts";

/** A model to be merged. */
export interface NamedModel {
  /** Its name, for messages. */
  readonly name: string;
  /** What its file holds. */
  readonly model: StoredModel;
}

/** A model to be merged that is loaded when its turn comes. */
export interface ModelSource {
  /** Its name, for messages. */
  readonly name: string;
  /** Reads it; called twice at most. */
  readonly load: () => Promise<StoredModel>;
}

/** Options of {@linkcode mergeModels}. */
export interface MergeOptions {
  /** Device to work on; by default one of its own. */
  readonly gpu?: Gpu;
  /** A new limit of the bank's rows; the models' own by default. */
  readonly maxBank?: number | null;
  /** How many parts there have to be. */
  readonly expect?: number;
  /**
   * Whether other parts may be missing: the result is a part as well, which is to
   * be merged with the others. It keeps twice the rows and what the parts carry.
   */
  readonly partial?: boolean;
  /** Called with the rows chosen so far and those to choose. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** One model of several, and what it took to make it. */
export interface MergedModel {
  /** The model. */
  readonly model: StoredModel;
  /** Passes over the rows of all models. */
  readonly passes: number;
  /** The most GPU bytes that were allocated at one time. */
  readonly peakGpuBytes: number;
}

/**
 * Makes one model of several that were fitted to parts of the images: its bank
 * is a coreset of the union of theirs (composable coresets: the covering radius
 * stays within the sum of the parts' and of the last choice's). No image is
 * needed: parts carry the worst patches of a sample of their images, which are
 * scored against the new bank without their fold, as those of any fit are.
 * Models that were not fitted as parts carry none: their images keep the scores
 * that they had, which are higher than against all.
 *
 * @param models Parts in any order, or at least two models, in the order that
 * their images get.
 * @throws {ModelFileError} If they do not belong together, saying why.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { mergeModels, PatchCore } from "@patchcore/webgpu";
 *
 * const square = (level: number) => ({
 *   width: 64,
 *   height: 64,
 *   data: new Uint8ClampedArray(64 * 64 * 4).map((_, i) => level + i % 7),
 * });
 * using detector = await PatchCore.create({
 *   backbone: "demo",
 *   resize: 64,
 *   crop: null,
 * });
 * const parts = [];
 * for (const part of [1, 2]) {
 *   const images = [square(100 + part), square(110 + part)];
 *   await detector.fit(images, { shard: [part, 2] });
 *   parts.push({ name: `part ${part}`, model: detector.model });
 * }
 * const { model } = await mergeModels(parts, { gpu: detector.gpu });
 * assertEquals(model.imageNames.length, 4);
 * ```
 */
export async function mergeModels(
  models: readonly NamedModel[],
  options: MergeOptions = {},
): Promise<MergedModel> {
  const checked = models.map(({ name, model }) => ({
    name,
    facts: mergeFacts(model),
  }));
  const { order, together } = checkTogether(checked, options);
  const parts = order.map((place) => models[place]!.model);
  const gpu = options.gpu ?? await Gpu.create();
  try {
    gpu.pool.resetPeak();
    const { model, passes } = await merge(gpu, parts, {
      ...options,
      shard: options.partial ? positionText(together) : undefined,
    });
    return { model, passes, peakGpuBytes: gpu.peakBytes };
  } finally {
    if (options.gpu === undefined) gpu.dispose();
  }
}

/**
 * Merges as {@linkcode mergeModels} does, two at a time, loading each when its turn
 * comes: what lies between two of them is a part as well. Of banks that are a share
 * of their patches nothing is dropped before the last choice, which therefore is
 * the same; banks with a limit of rows are reduced to twice that limit, and the
 * distances of these choices are added to the bound on the covering radius.
 *
 * @param sources Parts in any order, or at least two models.
 * @throws {ModelFileError} If they do not belong together, saying why.
 */
export async function mergeSources(
  sources: readonly ModelSource[],
  options: MergeOptions = {},
): Promise<MergedModel> {
  const checked = [];
  for (const { name, load } of sources) {
    checked.push({ name, facts: mergeFacts(await load()) });
  }
  const { order, together } = checkTogether(checked, options);
  const ordered = order.map((place) => sources[place]!);
  const gpu = options.gpu ?? await Gpu.create();
  try {
    gpu.pool.resetPeak();
    let passes = 0;
    const join = async (
      models: readonly StoredModel[],
      shard: string | undefined,
    ): Promise<StoredModel> => {
      const merged = await merge(gpu, models, { ...options, shard });
      passes += merged.passes;
      gpu.pool.trim();
      return merged.model;
    };
    const tree = async (list: readonly ModelSource[]): Promise<StoredModel> => {
      if (list.length === 1) return await list[0]!.load();
      const middle = list.length >> 1;
      const left = await tree(list.slice(0, middle));
      const right = await tree(list.slice(middle));
      return await join([left, right], BETWEEN);
    };
    const last = options.partial ? positionText(together) : undefined;
    // Models that are no parts carry nothing, and their banks are whole.
    if (together === undefined || ordered.length < 3) {
      const models = [];
      for (const { load } of ordered) models.push(await load());
      const model = await join(models, last);
      return { model, passes, peakGpuBytes: gpu.peakBytes };
    }
    const middle = ordered.length >> 1;
    const left = await tree(ordered.slice(0, middle));
    const right = await tree(ordered.slice(middle));
    const model = await join([left, right], last);
    return { model, passes, peakGpuBytes: gpu.peakBytes };
  } finally {
    if (options.gpu === undefined) gpu.dispose();
  }
}

/** What parts between two merges are called; nobody sees them. */
const BETWEEN = "1/1";

/** How {@linkcode merge} merges. */
interface Merging
  extends Pick<MergeOptions, "maxBank" | "onProgress">, MergeDemand {
  /** Which part the result is; undefined: all. */
  readonly shard: string | undefined;
}

/** Merges models that belong together, in their order. */
async function merge(
  gpu: Gpu,
  parts: readonly StoredModel[],
  { maxBank, onProgress, shard }: Merging,
): Promise<{ model: StoredModel; passes: number }> {
  const [first] = parts as [StoredModel];
  const { dim } = first;
  const settings = limited(settingsFromJson(first.settings), maxBank);
  const patches = sum(parts, ({ coverage }) => coverage!.patches);
  const capacity = sum(parts, ({ rows }) => rows);
  const known = parts.find((part) => part.projection)?.projection;
  const projection = projectionFor(settings, dim, patches, known);
  const names = parts.flatMap(({ imageNames }) => [...imageNames]);
  const groupBy = knownGroups(first);
  const views = viewCount(settings.augment);
  const folds = foldsByName(names, settings.seed, { groupBy, views });
  const carries = shard === undefined &&
    parts.every(({ sample }) => sample !== undefined);
  const chooser = new RowChooser(gpu, {
    ...{ settings, projection },
    ...(carries && { folds: () => folds.folds }),
    ...(onProgress && { onProgress }),
  });
  const rows = RowChunks.allocate(gpu, capacity, roundUp(dim, 4), "banks");
  using builder = new BankBuilder(gpu, rows, {
    capacity,
    dim,
    grid: { height: 1, width: 1 },
  });
  let images = 0;
  const firstImages: number[] = [];
  for (const { memoryBank, coverage, projection, ...part } of parts) {
    const before = images;
    const origin = part.origin.map((x, i) => i % 3 === 0 ? x + before : x);
    const isSame = projection?.data.length === known?.data.length &&
      projection?.data.every((x, i) => x === known!.data[i]) !== false;
    builder.preload({
      data: memoryBank,
      origin: joinOrigins({ origin, view: part.originView }, views),
      radius: isSame ? coverage?.radius ?? NaN : NaN,
    });
    chooser.drawn(part.rows, coverage!.patches);
    firstImages.push(images);
    images += part.imageNames.length;
  }
  const { coreset } = shard === undefined ? settings : shardSettings(settings);
  const { bank, radius } = await builder.finish(
    bankRows(coreset, patches),
    (...rows) => chooser.choose(...rows),
  );
  using _bank = bank;
  const sample = joinSamples(
    parts.map(({ sample }, i) => sample && [sample, firstImages[i]!] as const),
  );
  gpu.pool.trim();
  using mends = chooser.mends(bank.rows.dim);
  using mended = carries
    ? await MendedBank.create(
      gpu,
      bank,
      (image) => folds.folds[image]!,
      mends,
    )
    : undefined;
  const judged = mended && sample
    ? await rescored(gpu, { mended, settings, sample, first, folds, views })
    : kept(parts, settings);
  const bundled = parts.find(({ backbone }) => backbone.onnx);
  const model = await storedModel(gpu, {
    ...judged,
    ...{ bank, projection, settings, names },
    minArea: first.minArea,
    origins: splitOrigins(bank.origin, views),
    coverage: {
      patches,
      ...(!Number.isNaN(radius) && { radius }),
      ...(shard !== undefined && { shard, ...listOf(first.coverage) }),
    },
    sizes: Int32Array.from(parts.flatMap((part) => [...part.imageSizes])),
    backbone: ownBackbone((bundled ?? first).backbone),
    ...(shard !== undefined && { sample }),
  });
  return { model, passes: chooser.passes };
}

/** Scores of the images that parts carry, against the bank of all. */
async function rescored(
  gpu: Gpu,
  { mended, settings, sample, first, folds, views }: {
    readonly mended: MendedBank;
    readonly settings: Settings;
    readonly sample: NonNullable<StoredModel["sample"]>;
    readonly first: StoredModel;
    readonly folds: ReturnType<typeof foldsByName>;
    readonly views: number;
  },
): Promise<TrainingRecord & Thresholds> {
  const layout = {
    grid: sample.grid,
    size: mergeFacts(first).input,
    dim: first.dim,
  };
  const { scores, uncertain } = await carriedScores(
    gpu,
    { mended, settings },
    sample,
    layout,
    folds.folds.filter((_, view) => view % views === 0),
  );
  const images = folds.folds.length / views;
  const record = recordOf(scores, images);
  return {
    ...record,
    ...thresholdsOf(record, settings, {
      folds,
      ...(scores.length < images && { drawnFrom: images }),
      more: {
        carried_patches: sample.patches.length / sample.images.length,
        ...(uncertain > 0 && { uncertain_images: uncertain }),
      },
    }),
  };
}

/** The scores that images had, one model after the other. */
function kept(
  parts: readonly StoredModel[],
  settings: Settings,
): TrainingRecord & Thresholds {
  const joined = (pick: (part: StoredModel) => Iterable<number>) =>
    Float32Array.from(parts.flatMap((part) => [...pick(part)]));
  const record = {
    scores: joined(({ trainScores }) => trainScores),
    maxima: joined(({ trainMapMaxima, trainScores }) =>
      trainMapMaxima ?? trainScores.map(() => NaN)
    ),
  };
  const groupBy = parts[0]!.threshold?.rule["group_by"];
  return {
    ...record,
    ...thresholdsOf(record, settings, {
      mapThresholds: parts.map(({ mapThreshold }) => mapThreshold),
      ...(groupBy !== undefined && { more: { group_by: groupBy } }),
    }),
  };
}

function limited(
  settings: Settings,
  maxBank: number | null | undefined,
): Settings {
  return maxBank === undefined ? settings : {
    ...settings,
    coreset: { ...settings.coreset, maxBank },
  };
}

/** A backbone of its own, not a view that keeps the file it came from. */
function ownBackbone(backbone: StoredModel["backbone"]) {
  const { onnx } = backbone;
  return onnx === undefined ? backbone : { ...backbone, onnx: onnx.slice() };
}

function listOf(
  coverage: StoredCoverage | undefined,
): Pick<StoredCoverage, "list"> {
  return coverage?.list === undefined ? {} : { list: coverage.list };
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
