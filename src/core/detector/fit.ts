import type { Gpu } from "../../gpu/mod.ts";
import type { MemoryBank } from "../bank/memory_bank.ts";
import type { BankSearch } from "../bank/search.ts";
import type { StoredModel } from "../bank/stored_model.ts";
import type { Settings } from "../settings/settings.ts";
import { VERSION } from "../settings/version.ts";
import type { Backbone } from "./backbone.ts";
import { calibrate, searchOf } from "./calibrate.ts";
import { chooseBank } from "./choose_bank.ts";
import type { FeatureExtractor } from "./extractor.ts";
import type { NamedImage } from "./image_source.ts";
import { stoppable } from "./stoppable.ts";
import {
  type ExtractOptions,
  extractTrainingFeatures,
} from "./training_features.ts";

/** What a fit did, and how long it took. */
export interface FitReport {
  /** Images used. */
  readonly images: number;
  /** Patches of all images. */
  readonly patches: number;
  /** Rows of the memory bank. */
  readonly bankRows: number;
  /** Dimensions of a patch feature. */
  readonly dim: number;
  /** Image score from which on a part is anomalous; NaN if none could be found. */
  readonly threshold: number;
  /** Map value from which on a pixel is anomalous; NaN if none could be found. */
  readonly mapThreshold: number;
  /** The largest distance of a patch to the bank in the projected space, where it was measured. */
  readonly radius: number | undefined;
  /** Passes over all patches that the coreset took. */
  readonly passes: number;
  /** Seconds of each step; GPU steps are GPU time. */
  readonly seconds: {
    readonly decode: number;
    readonly trunk: number;
    readonly patches: number;
    readonly coreset: number;
    readonly threshold: number;
    readonly total: number;
  };
  /** The most GPU bytes that were allocated at one time. */
  readonly peakGpuBytes: number;
  /** Name of the adapter. */
  readonly adapter: string;
}

/** A model with its memory bank still on the GPU. */
export interface FittedModel {
  /** What was done. */
  readonly report: FitReport;
  /** Everything a model file holds. */
  readonly model: StoredModel;
  /** The memory bank. */
  readonly bank: MemoryBank;
  /** Finds neighbours in it. */
  readonly search: BankSearch;
  /** Turns images into features. */
  readonly extractor: FeatureExtractor;
}

/** Fits a model: features, memory bank, threshold. */
export async function fitModel(
  gpu: Gpu,
  backbone: Backbone,
  settings: Settings,
  images: readonly NamedImage[],
  given: ExtractOptions,
): Promise<FittedModel> {
  const options = stoppable(given);
  const start = performance.now();
  gpu.pool.resetPeak();
  using features = await extractTrainingFeatures(
    gpu,
    backbone,
    settings,
    images,
    options,
  );
  const { extractor, names, sizes } = features;
  using failed = new DisposableStack();
  failed.use(extractor);
  const coresetStart = performance.now();
  const chosen = await chooseBank(gpu, features, settings, options);
  const { bank, projection, radius, passes } = chosen;
  failed.use(bank);
  const thresholdStart = performance.now();
  const search = failed.use(await searchOf(gpu, bank));
  const { scores, threshold, mapThreshold } = await calibrate(
    gpu,
    features,
    { ...chosen, search },
    settings,
    options,
  );
  const memoryBank = await bank.download(gpu);
  const end = performance.now();
  const model: StoredModel = {
    memoryBank,
    rows: bank.rows.rows,
    dim: bank.dim,
    bankPrecision: "f32",
    origin: bank.origin,
    ...(projection && {
      projection: {
        rows: projection.outputs,
        columns: projection.inputs,
        data: projection.matrix,
      },
    }),
    trainScores: scores,
    settings: { ...settings },
    seed: settings.seed,
    backbone: backbone.stored(),
    imageNames: names,
    imageSizes: Int32Array.from(sizes.flat()),
    ...(threshold && { threshold }),
    ...(mapThreshold && { mapThreshold }),
    softwareVersion: VERSION,
  };
  const report: FitReport = {
    images: names.length,
    patches: features.rows.rows,
    bankRows: bank.rows.rows,
    dim: bank.dim,
    threshold: threshold?.value ?? NaN,
    mapThreshold: mapThreshold?.value ?? NaN,
    radius,
    passes,
    seconds: {
      ...features.seconds,
      coreset: (thresholdStart - coresetStart) / 1000,
      threshold: (end - thresholdStart) / 1000,
      total: (end - start) / 1000,
    },
    peakGpuBytes: gpu.peakBytes,
    adapter: gpu.adapterName,
  };
  failed.move();
  return { report, model, bank, search, extractor };
}
