import type { Gpu } from "../../../gpu/mod.ts";
import { MemoryBank } from "../../bank/memory_bank.ts";
import type { ImageFeed } from "../../features/feature_stream.ts";
import { loadPixels, type NamedImage } from "../../features/image_source.ts";
import { reportImageError } from "../../features/progress.ts";
import type { Pixels } from "../../images/pixels.ts";
import { tileCounts } from "../../images/tiles.ts";
import type { StoredModel } from "../../model/stored_model.ts";
import type { Settings } from "../../settings/settings.ts";
import { thresholdsOf } from "../../threshold/calibrate.ts";
import { foldsByName } from "../../threshold/folds.ts";
import { searchOf } from "../load.ts";
import { fitModel, type FittedModel } from "./fit.ts";
import type { FitPlan } from "./plan.ts";
import { type FitReport, trainingFacts } from "./report.ts";
import type { FitParts, FitWork } from "./run.ts";
import { secondsSince } from "./time.ts";

/**
 * Fits a bank for each place of tiles, one after the other, and puts them
 * together: memory is needed for the tiles of one place, and images are decoded
 * once for each. An image is as anomalous as its worst tile.
 *
 * @throws {RangeError} If no image could be used, the images cannot be listed, or
 * they are added to a model or a part of all.
 */
export async function fitPlaces(
  gpu: Gpu,
  parts: FitParts,
  feed: ImageFeed,
  given: FitWork,
): Promise<FittedModel> {
  if (parts.known !== undefined || parts.shard !== undefined) {
    throw new RangeError(
      "Cannot add images to a bank for each place of tiles, or fit a part of them: fit all images at once, or one bank for all tiles",
    );
  }
  const start = performance.now();
  const { settings } = parts;
  const images = await Array.fromAsync(feed.images);
  const usable = new Usable(images, settings, given);
  const [rows, columns] = await usable.tiles(settings);
  const places = rows * columns;
  const { maxBank } = settings.coreset;
  const own: Settings = {
    ...settings,
    coreset: {
      ...settings.coreset,
      maxBank: maxBank && Math.max(1, Math.floor(maxBank / places)),
    },
  };
  const models: StoredModel[] = [];
  const reports: FitReport[] = [];
  let extractor: FittedModel["extractor"] | undefined;
  try {
    for (let only = 0; only < places; only++) {
      const sources = usable.images;
      const fitted = await fitModel(
        gpu,
        { ...parts, settings: own, only },
        { images: sources, count: sources.length, areListed: true },
        { ...given, ...usable.options, ...tellOnce(only, places, given) },
      );
      fitted.bank[Symbol.dispose]();
      fitted.search[Symbol.dispose]();
      extractor?.[Symbol.dispose]();
      extractor = fitted.extractor;
      models.push(fitted.model);
      reports.push(fitted.report);
      gpu.pool.trim();
    }
    const { model, odd } = joined(models, settings, given);
    using failed = new DisposableStack();
    const bank = failed.use(
      MemoryBank.upload(
        gpu,
        model.memoryBank,
        model.dim,
        new Int32Array(model.origin),
      ),
    );
    const search = await searchOf(gpu, bank, model, settings, extractor!);
    failed.move();
    const report = jointReport(reports, model, odd, secondsSince(start));
    return { report, model, bank, search, extractor: extractor! };
  } catch (error) {
    extractor?.[Symbol.dispose]();
    throw error;
  }
}

/** The images that can be used: what failed once is not tried again. */
class Usable {
  readonly #images: readonly NamedImage[];
  readonly #load: (source: NamedImage) => Promise<Pixels>;
  readonly #work: FitWork;
  readonly #failed = new Set<number>();
  #loaded = 0;

  constructor(
    images: readonly NamedImage[],
    { range }: Settings,
    work: FitWork,
  ) {
    this.#work = work;
    this.#load = (source) => loadPixels(source, { ...work, range });
    this.#images = images.map((source, index) => ({
      name: source.name,
      content: () => {
        this.#loaded = index;
        return this.#load(source);
      },
    }));
  }

  get images(): NamedImage[] {
    return this.#images.filter((_, index) => !this.#failed.has(index));
  }

  get options(): Pick<FitWork, "onImageError"> {
    return {
      onImageError: (name, error) => {
        reportImageError(name, error, this.#work);
        this.#failed.add(this.#loaded);
      },
    };
  }

  /** Rows and columns of tiles of the first image that can be read. */
  async tiles(settings: Settings): Promise<readonly [number, number]> {
    for (const image of this.#images) {
      const size = await this.#load(image).catch(() => undefined);
      if (size !== undefined) return tileCounts(size, settings);
    }
    return [1, 1];
  }
}

/** The plan of all places, told with the first. */
function tellOnce(
  only: number,
  places: number,
  { onPlan }: FitWork,
): Pick<FitWork, "onPlan"> {
  if (onPlan === undefined) return {};
  const times = (value: number | undefined): number | undefined =>
    value && value * places;
  return {
    onPlan: (plan: FitPlan): void => {
      if (only > 0) return;
      onPlan({
        ...plan,
        patchesPerImage: plan.patchesPerImage * places,
        tilesPerImage: places,
        patches: times(plan.patches),
        bankRows: times(plan.bankRows),
        seconds: times(plan.seconds),
      });
    },
  };
}

/** One model of those of all places. */
function joined(
  models: readonly StoredModel[],
  settings: Settings,
  { groupBy }: FitWork,
): { model: StoredModel; odd: readonly number[] } {
  const [first] = models as [StoredModel];
  const { imageNames } = first;
  const largest = (
    pick: (model: StoredModel) => Float32Array,
  ): Float32Array<ArrayBuffer> =>
    Float32Array.from(imageNames, (_, image) => {
      const known = models.map((model) => pick(model)[image]!)
        .filter(Number.isFinite);
      return known.length === 0 ? NaN : Math.max(...known);
    });
  const record = {
    scores: largest(({ trainScores }) => trainScores),
    maxima: largest(({ trainMapMaxima }) => trainMapMaxima!),
  };
  const scored = record.scores.filter(Number.isFinite).length;
  const thresholds = thresholdsOf(record, settings, {
    folds: foldsByName(imageNames, settings.seed, { groupBy }),
    ...(scored < imageNames.length && { drawnFrom: imageNames.length }),
  });
  const { threshold, mapThreshold, odd } = thresholds;
  const rows = models.reduce((sum, model) => sum + model.rows, 0);
  const memoryBank = new Float32Array(rows * first.dim);
  const origin = new Int32Array(rows * 3);
  let done = 0;
  for (const model of models) {
    memoryBank.set(model.memoryBank, done * first.dim);
    origin.set(model.origin, done * 3);
    done += model.rows;
  }
  const { threshold: _, mapThreshold: __, coverage: ___, ...rest } = first;
  const patches = models.reduce(
    (sum, { coverage }) => sum + coverage!.patches,
    0,
  );
  const radii = models.map(({ coverage }) => coverage!.radius ?? NaN);
  const radius = Math.max(...radii);
  const model = {
    ...rest,
    ...{ memoryBank, rows, origin, settings: { ...settings } },
    trainScores: record.scores,
    trainMapMaxima: record.maxima,
    ...(threshold && { threshold }),
    ...(mapThreshold && { mapThreshold }),
    coverage: {
      patches,
      ...(!Number.isNaN(radius) && { radius }),
    },
  };
  return { model, odd };
}

function jointReport(
  reports: readonly FitReport[],
  model: StoredModel,
  odd: readonly number[],
  total: number,
): FitReport {
  const [first] = reports as [FitReport];
  const sum = (pick: (report: FitReport) => number): number =>
    reports.reduce((total, report) => total + pick(report), 0);
  const most = (
    pick: (report: FitReport) => number | undefined,
  ): number | undefined => {
    const value = Math.max(...reports.map((report) => pick(report) ?? NaN));
    return Number.isNaN(value) ? undefined : value;
  };
  return {
    ...first,
    images: model.imageNames.length,
    patches: sum(({ patches }) => patches),
    bankRows: model.rows,
    threshold: model.threshold?.value ?? NaN,
    mapThreshold: model.mapThreshold?.value ?? NaN,
    radius: most(({ radius }) => radius),
    radiusBound: most(({ radiusBound }) => radiusBound),
    buckets: most(({ buckets }) => buckets)!,
    passes: sum(({ passes }) => passes),
    ...trainingFacts(model, odd),
    seconds: {
      decode: sum(({ seconds }) => seconds.decode),
      trunk: sum(({ seconds }) => seconds.trunk),
      patches: sum(({ seconds }) => seconds.patches),
      coreset: sum(({ seconds }) => seconds.coreset),
      threshold: sum(({ seconds }) => seconds.threshold),
      total,
    },
    peakGpuBytes: most(({ peakGpuBytes }) => peakGpuBytes)!,
    plannedGpuBytes: most(({ plannedGpuBytes }) => plannedGpuBytes)!,
  };
}
