import { Gpu, RowChunks } from "../../../gpu/mod.ts";
import { roundUp } from "../../../wgsl/grid.ts";
import { BankBuilder } from "../../bank/bank_builder.ts";
import { joinOrigins, splitOrigins } from "../../bank/memory_bank.ts";
import { viewCount } from "../../images/views.ts";
import { ModelFileError, type StoredModel } from "../../model/stored_model.ts";
import { bankRows, settingsFromJson } from "../../settings/resolve_settings.ts";
import type { Settings } from "../../settings/settings.ts";
import { storedModel } from "./fit.ts";
import { projectionFor, RowChooser } from "../../bank/choose_rows.ts";
import { thresholdsOf } from "../../threshold/calibrate.ts";

/** A model to be merged. */
export interface NamedModel {
  /** Its name, for messages. */
  readonly name: string;
  /** What its file holds. */
  readonly model: StoredModel;
}

/** Options of {@linkcode mergeModels}. */
export interface MergeOptions {
  /** Device to work on; by default one of its own. */
  readonly gpu?: Gpu;
  /** A new limit of the bank's rows; the models' own by default. */
  readonly maxBank?: number | null;
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
 * needed. Every training image keeps the score that it had against its own
 * part, which is higher than one against all parts.
 *
 * @param models At least two, in the order that their images get.
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
  const { patches, settings } = checkTogether(models, options);
  const gpu = options.gpu ?? await Gpu.create();
  try {
    return await merge(gpu, models, settings, patches, options);
  } finally {
    if (options.gpu === undefined) gpu.dispose();
  }
}

async function merge(
  gpu: Gpu,
  models: readonly NamedModel[],
  settings: Settings,
  patches: number,
  { onProgress }: MergeOptions,
): Promise<MergedModel> {
  gpu.pool.resetPeak();
  const parts = models.map(({ model }) => model);
  const [first] = parts as [StoredModel];
  const { dim } = first;
  const capacity = parts.reduce((sum, { rows }) => sum + rows, 0);
  const known = parts.find((part) => part.projection)?.projection;
  const projection = projectionFor(settings, dim, patches, known);
  const chooser = new RowChooser(gpu, {
    settings,
    projection,
    ...(onProgress && { onProgress }),
  });
  const rows = RowChunks.allocate(gpu, capacity, roundUp(dim, 4), "banks");
  using builder = new BankBuilder(gpu, rows, {
    capacity,
    dim,
    grid: { height: 1, width: 1 },
  });
  let images = 0;
  const views = viewCount(settings.augment);
  for (const { memoryBank, coverage, projection, ...part } of parts) {
    const origin = part.origin.map((x, i) => i % 3 === 0 ? x + images : x);
    const isSame = projection?.data.length === known?.data.length &&
      projection?.data.every((x, i) => x === known!.data[i]) !== false;
    builder.preload({
      data: memoryBank,
      origin: joinOrigins({ origin, view: part.originView }, views),
      radius: isSame ? coverage?.radius ?? NaN : NaN,
    });
    chooser.drawn(part.rows, coverage!.patches);
    images += part.imageNames.length;
  }
  const { bank, radius } = await builder.finish(
    bankRows(settings.coreset, patches),
    (...rows) => chooser.choose(...rows),
  );
  try {
    const joined = (pick: (part: StoredModel) => Iterable<number>) =>
      Float32Array.from(parts.flatMap((part) => [...pick(part)]));
    const record = {
      scores: joined(({ trainScores }) => trainScores),
      maxima: joined(({ trainMapMaxima, trainScores }) =>
        trainMapMaxima ?? trainScores.map(() => NaN)
      ),
    };
    const bundled = parts.find(({ backbone }) => backbone.onnx);
    const model = await storedModel(gpu, {
      ...thresholdsOf(record, settings, {
        mapThresholds: parts.map(({ mapThreshold }) => mapThreshold),
      }),
      ...record,
      bank,
      origins: splitOrigins(bank.origin, views),
      projection,
      coverage: {
        patches,
        ...(!Number.isNaN(radius) && { radius }),
      },
      names: parts.flatMap(({ imageNames }) => imageNames),
      sizes: Int32Array.from(parts.flatMap((part) => [...part.imageSizes])),
      settings,
      backbone: (bundled ?? first).backbone,
    });
    return { model, passes: chooser.passes, peakGpuBytes: gpu.peakBytes };
  } finally {
    bank[Symbol.dispose]();
  }
}

/** Checks that models are parts of one fit. */
function checkTogether(
  models: readonly NamedModel[],
  { maxBank }: MergeOptions,
): { patches: number; settings: Settings } {
  const [first, ...others] = models;
  if (first === undefined || others.length === 0) {
    throw new ModelFileError(
      `Cannot merge ${models.length} models: expected at least 2`,
    );
  }
  for (const { name, model } of others) {
    const problem = difference(first.model, model);
    if (problem === undefined) continue;
    throw new ModelFileError(
      `Cannot merge "${first.name}" with "${name}": ${problem}; fit the parts alike`,
    );
  }
  checkShards(models);
  let patches = 0;
  for (const { name, model: { coverage } } of models) {
    if (coverage === undefined) {
      throw new ModelFileError(
        `Cannot merge "${name}": it was made by an earlier version and does not say how many patches it stands for; fit it again`,
      );
    }
    patches += coverage.patches;
  }
  const settings = settingsFromJson(first.model.settings);
  if (settings.tiles?.banks === "position") {
    throw new ModelFileError(
      `Cannot merge "${first.name}": it has a bank for each place of tiles; fit all images at once`,
    );
  }
  return {
    patches,
    settings: maxBank === undefined ? settings : {
      ...settings,
      coreset: { ...settings.coreset, maxBank },
    },
  };
}

function difference(a: StoredModel, b: StoredModel): string | undefined {
  if (a.backbone.sha256 !== b.backbone.sha256) {
    return `they were fitted with the backbones "${a.backbone.name}" (SHA-256 ${a.backbone.sha256}) and "${b.backbone.name}" (SHA-256 ${b.backbone.sha256})`;
  }
  const keys = new Set([
    ...Object.keys(a.settings),
    ...Object.keys(b.settings),
  ]);
  const [own, other] = [a, b].map(({ settings }) =>
    new Map<string, unknown>(Object.entries(settingsFromJson(settings)))
  );
  for (const key of keys) {
    const [mine, theirs] = [own!.get(key), other!.get(key)]
      .map((value) => JSON.stringify(value));
    if (mine !== theirs) {
      return `they were fitted with ${key} ${mine} and ${theirs}`;
    }
  }
  return a.dim === b.dim
    ? undefined
    : `their features have ${a.dim} and ${b.dim} dimensions`;
}

/** Parts of one list of images: none may be missing or there twice. */
function checkShards(models: readonly NamedModel[]): void {
  const seen = new Map<string, string>();
  for (const { name, model } of models) {
    const shard = model.coverage?.shard;
    if (shard === undefined) continue;
    const twin = seen.get(shard);
    if (twin !== undefined) {
      throw new ModelFileError(
        `Cannot merge "${twin}" with "${name}": both are part ${shard}`,
      );
    }
    seen.set(shard, name);
  }
  for (const shard of seen.keys()) {
    const count = Number(shard.split("/")[1]);
    for (let i = 1; i <= count; i++) {
      if (seen.has(`${i}/${count}`)) continue;
      throw new ModelFileError(
        `Cannot merge "${
          seen.get(shard)
        }": part ${i}/${count} is missing; name all parts`,
      );
    }
  }
}
