import { Gpu, type KernelTime, Profiler } from "../../gpu/mod.ts";
import {
  checkBackbone,
  readModelFile,
  writeModelFile,
} from "../model/model_file.ts";
import type { StoredModel } from "../model/stored_model.ts";
import {
  resolveSettings,
  settingsFromJson,
} from "../settings/resolve_settings.ts";
import type { Settings } from "../settings/settings.ts";
import { Backbone, type BackboneFile } from "../features/backbone.ts";
import { feedOf } from "../features/feature_stream.ts";
import { fitModel } from "./fit/fit.ts";
import type { FitParts, FitWork } from "./fit/run.ts";
import type { FitReport } from "./fit/report.ts";
import type { ImageSources } from "../features/image_source.ts";
import { requireBackbone } from "../features/named_backbone.ts";
import { Inspector, type InspectorParts } from "./predict/inspector.ts";
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
import type { Prediction } from "./predict/prediction.ts";
import type { WorkOptions } from "../features/progress.ts";
import { backboneOf, uploadModel } from "./load.ts";

/**
 * Finds anomalies in images after having seen normal ones only (Roth et al.,
 * "Towards Total Recall in Industrial Anomaly Detection", 2022).
 *
 * Hyper-parameters go into {@linkcode PatchCore.create}, images into the
 * methods. Dispose a detector, or declare it with `using`.
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
  #settings: Settings;
  #fitted: Inspector | undefined;

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
    this.#settings = settings;
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
      return new PatchCore(file.gpu, file, settings, options, false);
    }
    const gpu = options.gpu ?? await Gpu.create();
    try {
      const backbone = await Backbone.load(gpu, file, {
        layers,
        allowRandom,
        precision,
        ...(tuning && { tuning }),
      });
      return new PatchCore(gpu, backbone, settings, options, true);
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
    const file = await backboneOf(model, options);
    const settings = settingsFromJson(model.settings);
    const detector = await PatchCore.#open(
      file,
      settings,
      { ...options, allowRandom: true },
    );
    try {
      checkBackbone(model, detector.#backbone);
      detector.#adopt(
        await uploadModel(detector.#gpu, model, {
          backbone: detector.#backbone,
          settings,
          batch: detector.#batch,
        }),
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
   * Fitting again starts afresh.
   *
   * @param images Good parts only; all must give the same input size. With a
   * memory budget, an iterable is taken one batch at a time.
   * @param options Progress, images that fail, cancelling.
   * @returns What was done, and how long it took.
   * @throws {RangeError} If no image could be used or memory is too small.
   */
  async fit(
    images: ImageSources,
    options: FitOptions = {},
  ): Promise<FitReport> {
    const { shard } = options;
    return await this.#fit(images, options, {
      ...{ backbone: this.#backbone, settings: this.settings },
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
   * @throws {TypeError} If the detector is not fitted.
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
    const feed = await feedOf(images, options.count, this.#memory.memoryBudget);
    this.#release();
    const { report, ...fitted } = await fitModel(this.#gpu, parts, feed, {
      ...options,
      ...this.#memory,
      batch: this.#batch,
    });
    this.#settings = parts.settings;
    this.#adopt(fitted);
    return report;
  }

  #adopt(parts: InspectorParts): void {
    const { settings } = this;
    this.#fitted = new Inspector(this.#gpu, parts, settings, this.#batch);
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
    return this.#requireFitted().predict(images, options);
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
   * @throws {TypeError} If the detector is not fitted.
   */
  toModel(options: SaveOptions = {}): StoredModel {
    return {
      ...this.#requireFitted().model,
      backbone: this.#backbone.stored(options.bundle),
      bankPrecision: options.bankPrecision ?? "f32",
    };
  }

  #requireFitted(): Inspector {
    if (this.#fitted !== undefined) return this.#fitted;
    throw new TypeError(
      "Cannot use a detector that is not fitted: call fit() or PatchCore.load()",
    );
  }

  #release(): void {
    this.#fitted?.dispose();
    this.#fitted = undefined;
  }

  /** Frees what it has on the GPU, backbone and device if they are its own. */
  dispose(): void {
    this.#release();
    if (this.#ownsBackbone) this.#backbone.dispose();
    if (this.#ownsGpu) this.#gpu.dispose();
  }

  /** Same as {@linkcode PatchCore.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Same as {@linkcode PatchCore.dispose}. */
  [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
    return Promise.resolve();
  }
}
