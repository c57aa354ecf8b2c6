import { Gpu, type KernelTime, Profiler } from "../../gpu/mod.ts";
import {
  checkBackbone,
  readModelFile,
  writeModelFile,
} from "../model/model_file.ts";
import type { StoredModel } from "../model/stored_model.ts";
import {
  limitsOf,
  type ThresholdChange,
  withMinArea,
  withThresholds,
} from "../model/thresholds.ts";
import { resolveSettings } from "../settings/resolve_settings.ts";
import type { Settings } from "../settings/settings.ts";
import {
  Backbone,
  type BackboneFile,
  type Bundling,
} from "../features/backbone.ts";
import { checkRegion } from "../features/region_grid.ts";
import { feedOf } from "../features/feature_stream.ts";
import { fitModel } from "./fit/fit.ts";
import { fitPlaces } from "./fit/fit_places.ts";
import { checkPart } from "./fit/part_checks.ts";
import type { FitParts, FitWork } from "./fit/run.ts";
import type { FitReport } from "./fit/report.ts";
import type { ImageSources } from "../features/image_source.ts";
import { requireBackbone } from "../features/named_backbone.ts";
import { sharesTop } from "../score/distance_scale.ts";
import { ImageScores } from "../score/image_score.ts";
import {
  appendedSettings,
  type AppendOptions,
  checkDetectorOptions,
  type DetectorOptions,
  type FitOptions,
  type LoadOptions,
  type PatchCoreOptions,
  type SaveOptions,
  settingsIn,
  THRESHOLD_IMAGES,
} from "./options.ts";
import { Predictor } from "./predict/predict.ts";
import type { Prediction } from "./predict/prediction.ts";
import { Turns } from "./predict/turns.ts";
import type { WorkOptions } from "../features/progress.ts";
import {
  backboneOf,
  type ModelOnGpu,
  settingsOf,
  uploadModel,
} from "./load.ts";

/** A model that predictions can be made with. */
interface Fitted extends Disposable {
  readonly model: StoredModel;
  readonly predictor: Predictor;
}

/**
 * Finds anomalies in images after having seen normal ones only (Roth et al.,
 * "Towards Total Recall in Industrial Anomaly Detection", 2022).
 *
 * Hyper-parameters go into {@linkcode PatchCore.create}, images into the
 * methods. Dispose a detector, or declare it with `using`.
 *
 * Any number of predictions may be under way at a time: they take turns batch
 * by batch. A fit waits for the batch that is being scored; predictions that
 * began before it end with an error, and so does a second fit at a time. What
 * is under way when a detector is disposed of ends with an error, too.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { PatchCore } from "@patchcore/webgpu";
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
 * await detector.fit([square(100), square(110)]);
 * const [result] = await Array.fromAsync(detector.predict([square(250)]));
 * assertEquals(result?.label, "anomalous");
 *
 * const bytes = detector.save();
 * using again = await PatchCore.load(bytes);
 * assertEquals(again.model.threshold, detector.model.threshold);
 * ```
 */
export class PatchCore implements Disposable, AsyncDisposable {
  readonly #gpu: Gpu;
  readonly #ownsGpu: boolean;
  readonly #backbone: Backbone;
  readonly #ownsBackbone: boolean;
  readonly #batch: number;
  readonly #memory: Pick<FitWork, "memoryBudget" | "thresholdImages">;
  readonly #turns = new Turns();
  readonly #disposed = new AbortController();
  /** What a fit starts from; it may decide some of it. */
  readonly #given: Settings;
  #settings: Settings;
  #fitted: Fitted | undefined;
  #isFitting = false;

  private constructor(
    gpu: Gpu,
    backbone: Backbone,
    settings: Settings,
    options: DetectorOptions,
    ownsBackbone: boolean,
  ) {
    const { gpu: given, batch = 8, profile = false } = options;
    const { memoryBudget, thresholdImages = THRESHOLD_IMAGES } = options;
    if (profile) gpu.profiler = new Profiler(gpu);
    this.#gpu = gpu;
    this.#ownsGpu = given === undefined;
    this.#backbone = backbone;
    this.#ownsBackbone = ownsBackbone;
    this.#given = this.#settings = settings;
    this.#batch = batch;
    this.#memory = { memoryBudget, thresholdImages };
  }

  /**
   * A detector that is still to be fitted.
   *
   * @throws {TypeError} If an option is unknown, the weights are random, or
   * nobody knows where a backbone of that name is.
   * @throws {RangeError} If a setting is not allowed.
   * @throws {OnnxError} If the backbone cannot be used.
   * @throws {GpuError} If there is no WebGPU.
   */
  static async create(options: PatchCoreOptions): Promise<PatchCore> {
    const settings = resolveSettings(settingsIn(options));
    checkRegion(settings);
    const file = await requireBackbone(options.backbone);
    return await PatchCore.#open(file, settings, options);
  }

  static async #open(
    file: BackboneFile | Backbone,
    settings: Settings,
    options: DetectorOptions,
  ): Promise<PatchCore> {
    const { allowRandom = false, precision = "f32", tuning } = options;
    checkDetectorOptions(options);
    const { layers } = settings;
    if (file instanceof Backbone) {
      file.checkUse(options.gpu, layers);
      const resolved = file.resolved(settings);
      return new PatchCore(file.gpu, file, resolved, options, false);
    }
    const gpu = options.gpu ?? await Gpu.create();
    try {
      const backbone = await Backbone.load(gpu, file, {
        layers,
        allowRandom,
        precision,
        ...(tuning && { tuning }),
      });
      const resolved = backbone.resolved(settings);
      return new PatchCore(gpu, backbone, resolved, options, true);
    } catch (error) {
      if (options.gpu === undefined) gpu.dispose();
      throw error;
    }
  }

  /**
   * A fitted detector from the bytes that {@linkcode PatchCore.save} gave.
   *
   * @throws {ModelFileError} If the file is no model, or the backbone differs
   * from the one it was fitted with.
   */
  static async load(
    bytes: Uint8Array,
    options: LoadOptions = {},
  ): Promise<PatchCore> {
    return await PatchCore.fromModel(readModelFile(bytes), options);
  }

  /**
   * A fitted detector from what its file holds.
   *
   * @throws {ModelFileError} If the backbone is not given, or differs from the
   * one it was fitted with.
   */
  static async fromModel(
    model: StoredModel,
    options: LoadOptions = {},
  ): Promise<PatchCore> {
    const settings = settingsOf(model);
    const file = await backboneOf(model, options);
    const detector = await PatchCore.#open(
      file,
      settings,
      { ...options, allowRandom: true },
    );
    try {
      checkBackbone(model, detector.#backbone);
      detector.#adopt(
        await uploadModel(
          detector.#backbone,
          model,
          settings,
          detector.#batch,
        ),
      );
      return detector;
    } catch (error) {
      detector.dispose();
      throw error;
    }
  }

  /** Every switch of the method. */
  get settings(): Settings {
    return this.#settings;
  }

  /** Name of the adapter that does the work. */
  get adapterName(): string {
    return this.#gpu.adapterName;
  }

  /** The device that does the work. */
  get gpu(): Gpu {
    return this.#gpu;
  }

  /**
   * GPU time of every kernel so far, longest first; empty unless the detector
   * was made with `profile`.
   */
  async kernelTimes(): Promise<KernelTime[]> {
    return await this.#gpu.profiler?.report() ?? [];
  }

  /**
   * The model as it would be saved.
   *
   * @throws {TypeError} If the detector is not fitted.
   */
  get model(): StoredModel {
    return this.#requireFitted().model;
  }

  /**
   * Fills the memory bank from images of good parts and sets the threshold.
   * Fitting again starts afresh; until it is done the detector is not fitted.
   *
   * @param images Good parts only; all must give the same input size. With a
   * memory budget, an iterable is taken one batch at a time.
   * @param options Progress, images that fail, cancelling.
   * @returns What was done, and how long it took.
   * @throws {RangeError} If no image could be used, memory is too small, or a part
   * were to decide whether there is a foreground or to be of tiles or a region.
   * @throws {TypeError} If a fit is under way.
   */
  async fit(
    images: ImageSources,
    options: FitOptions = {},
  ): Promise<FitReport> {
    const { shard } = options;
    if (shard !== undefined) checkPart(shard, this.#given);
    return await this.#fit(images, options, {
      ...{ backbone: this.#backbone, settings: this.#given },
      ...(shard && { shard }),
    });
  }

  /**
   * Adds images of good parts to the fitted model: the bank becomes a coreset
   * of its own rows and the new patches. Nothing else of the earlier images is
   * needed; they keep the scores they had, the new ones are scored against the
   * new bank, and the threshold follows from both. After an error the detector
   * is not fitted.
   *
   * @param images Good parts only, as the ones before.
   * @param options Progress, a new limit of the bank's rows.
   * @throws {TypeError} If the detector is not fitted, or a fit is under way.
   * @throws {RangeError} If no image could be used or memory is too small.
   */
  async append(
    images: ImageSources,
    options: AppendOptions = {},
  ): Promise<FitReport> {
    return await this.#fit(images, options, {
      backbone: this.#backbone,
      known: this.#requireFitted().model,
      settings: appendedSettings(this.settings, options),
    });
  }

  async #fit(
    images: ImageSources,
    options: FitOptions,
    parts: FitParts,
  ): Promise<FitReport> {
    if (this.#isFitting) {
      throw new TypeError(
        "Cannot fit a detector that is being fitted: wait for that fit to end",
      );
    }
    this.#isFitting = true;
    try {
      const { memoryBudget } = this.#memory;
      const feed = await feedOf(images, options.count, memoryBudget);
      this.#fitted?.predictor.retire();
      return await this.#turns.take(async () => {
        this.#release();
        const { signal: disposed } = this.#disposed;
        const signal = AbortSignal.any([disposed, options.signal ?? disposed]);
        const fit = parts.settings.tiles?.banks === "position"
          ? fitPlaces
          : fitModel;
        const { report, ...fitted } = await fit(this.#gpu, parts, feed, {
          ...options,
          ...this.#memory,
          batch: this.#batch,
          signal,
        });
        this.#settings = settingsOf(fitted.model);
        this.#adopt(fitted);
        return report;
      });
    } finally {
      this.#isFitting = false;
    }
  }

  #adopt({ model, bank, search, extractor }: ModelOnGpu): void {
    const gpu = this.#gpu;
    const { settings } = this;
    const owned = new DisposableStack();
    for (const part of [bank, search, extractor]) owned.use(part);
    const parts = {
      extractor,
      search,
      scores: new ImageScores(gpu, bank.rows, search, settings),
      mapSettings: settings.map,
      isByPlace: settings.tiles?.banks === "position",
      readsPatches: sharesTop(settings),
      masksGround: settings.foreground.mask === "on",
    };
    const predictor = owned.use(
      new Predictor(gpu, parts, model, settings, this.#batch, this.#turns),
    );
    const dispose = (): void => owned.dispose();
    this.#fitted = { model, predictor, [Symbol.dispose]: dispose };
  }

  /**
   * Scores images one after the other, in order; the next batch is decoded
   * while the GPU works.
   *
   * @param images What to inspect.
   * @param options Progress, images that fail, cancelling.
   * @throws {TypeError} If the detector is not fitted.
   */
  predict(
    images: ImageSources,
    options: WorkOptions = {},
  ): AsyncGenerator<Prediction> {
    const { model, predictor } = this.#requireFitted();
    return predictor.predict(images, options, limitsOf(model));
  }

  /**
   * Measures which kernels are the best for the batches that were predicted so
   * far and takes those from now on, as a prediction does after its first batch:
   * for who predicts one image at a time. No score changes by that; without a
   * `tuning` store nothing is measured.
   *
   * @throws {TypeError} If the detector is not fitted.
   */
  async tune(): Promise<void> {
    await this.#requireFitted().predictor.tune();
  }

  /**
   * Judges by other thresholds from now on, without a fit; predictions that are
   * under way keep theirs. The model that is saved has them as well.
   *
   * @throws {TypeError} If the detector is not fitted.
   * @throws {RangeError} If a value is not finite or not above 0, or the band is
   * empty.
   */
  setThresholds(change: ThresholdChange): void {
    const fitted = this.#requireFitted();
    const model = withThresholds(fitted.model, change);
    this.#fitted = { ...fitted, model };
  }

  /**
   * From now on an image is anomalous only where a region of its map above the
   * map's threshold has at least so many pixels, besides a score at the threshold
   * or above; where one says so alone, it is uncertain. The model that is saved
   * has it as well.
   *
   * @param area Pixels of the original image; `undefined`: regions have no say.
   * @throws {TypeError} If the detector is not fitted.
   * @throws {RangeError} If it is not a whole number from 1 up.
   */
  setMinArea(area: number | undefined): void {
    const fitted = this.#requireFitted();
    this.#fitted = { ...fitted, model: withMinArea(fitted.model, area) };
  }

  /**
   * Checks that models may contain the backbone, before a fit is made for one.
   *
   * @throws {TypeError} If its licence asks for a copy of its text, which the
   * backbone's file lacks.
   */
  checkBundle(): void {
    this.#backbone.checkBundle();
  }

  /** Whether a model that is saved so contains the backbone. */
  isBundled(bundle: Bundling): boolean {
    return this.#backbone.isBundled(bundle);
  }

  /**
   * The model file: one valid `.safetensors`.
   *
   * @throws {TypeError} If the detector is not fitted.
   */
  save(options: SaveOptions = {}): Uint8Array<ArrayBuffer> {
    return writeModelFile(this.toModel(options));
  }

  /**
   * What {@linkcode PatchCore.save} writes.
   *
   * @throws {TypeError} If the detector is not fitted, or its backbone may not
   * be bundled.
   */
  toModel(options: SaveOptions = {}): StoredModel {
    return {
      ...this.#requireFitted().model,
      backbone: this.#backbone.stored(options.bundle),
      bankPrecision: options.bankPrecision ?? "f32",
    };
  }

  #requireFitted(): Fitted {
    if (this.#fitted !== undefined) return this.#fitted;
    throw new TypeError(
      this.#isFitting
        ? "Cannot use a detector that is being fitted: wait for that fit to end"
        : "Cannot use a detector that is not fitted: call fit() or PatchCore.load()",
    );
  }

  #release(): void {
    this.#fitted?.[Symbol.dispose]();
    this.#fitted = undefined;
  }

  async #close(): Promise<void> {
    this.#fitted?.predictor.retire();
    this.#disposed.abort(
      new TypeError("Cannot go on with a fit: the detector was disposed of"),
    );
    await this.#turns.close(() => {
      this.#release();
      if (this.#ownsBackbone) this.#backbone.dispose();
      if (this.#ownsGpu) this.#gpu.dispose();
    });
  }

  /**
   * Frees what it has on the GPU, backbone and device if they are its own: at
   * once, or when a fit or a batch that is under way has stopped.
   */
  dispose(): void {
    void this.#close();
  }

  /** Frees at the end of a `using` what {@linkcode PatchCore.dispose} does. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Frees as well, and waits until that is done. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}
