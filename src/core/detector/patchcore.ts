import { Gpu, type KernelTime, Profiler } from "../../gpu/mod.ts";
import type { BankSearch } from "../bank/search.ts";
import { MemoryBank } from "../bank/memory_bank.ts";
import {
  checkBackbone,
  ModelFileError,
  readModelFile,
  writeModelFile,
} from "../bank/model_file.ts";
import type { StoredModel } from "../bank/stored_model.ts";
import { ImageScores } from "../score/image_score.ts";
import {
  resolveSettings,
  type Settings,
  settingsFromJson,
} from "../settings/settings.ts";
import { Backbone, type BackboneFile } from "./backbone.ts";
import { searchOf } from "./calibrate.ts";
import { FeatureExtractor } from "./extractor.ts";
import { fitModel, type FitReport } from "./fit.ts";
import {
  type ImageSource,
  type ImageSources,
  loadPixels,
  named,
  type NamedImage,
} from "./image_source.ts";
import type {
  DetectorOptions,
  LoadOptions,
  PatchCoreOptions,
  SaveOptions,
} from "./options.ts";
import { describe, type Loaded } from "./describe.ts";
import type { Prediction } from "./prediction.ts";
import { BatchPredictor } from "./predictor.ts";
import { reportImageError, type WorkOptions } from "./progress.ts";

interface Fitted {
  readonly model: StoredModel;
  readonly bank: MemoryBank;
  readonly search: BankSearch;
  readonly scores: ImageScores;
  readonly extractor: FeatureExtractor;
}

/**
 * Finds anomalies in images after having seen normal ones only (Roth et al.,
 * "Towards Total Recall in Industrial Anomaly Detection", 2022).
 *
 * Hyper-parameters go into {@linkcode PatchCore.create}, images into the
 * methods. Dispose a detector, or declare it with `using`.
 */
export class PatchCore implements Disposable, AsyncDisposable {
  /** Every switch of the method. */
  readonly settings: Settings;
  readonly #gpu: Gpu;
  readonly #ownsGpu: boolean;
  readonly #backbone: Backbone;
  readonly #batch: number;
  readonly #predictors = new Map<number, BatchPredictor>();
  #fitted: Fitted | undefined;

  private constructor(
    gpu: Gpu,
    backbone: Backbone,
    settings: Settings,
    { gpu: given, batch = 8, profile = false }: DetectorOptions,
  ) {
    if (profile) gpu.profiler = new Profiler(gpu);
    this.#gpu = gpu;
    this.#ownsGpu = given === undefined;
    this.#backbone = backbone;
    this.settings = settings;
    this.#batch = batch;
  }

  /**
   * A detector that is still to be fitted.
   *
   * @throws {TypeError} If an option is unknown, or the weights are random.
   * @throws {RangeError} If a setting is not allowed.
   * @throws {OnnxError} If the backbone cannot be used.
   * @throws {GpuError} If there is no WebGPU.
   */
  static async create(options: PatchCoreOptions): Promise<PatchCore> {
    const {
      backbone,
      gpu: _gpu,
      allowRandom: _allowRandom,
      batch: _batch,
      profile: _profile,
      ...settings
    } = options;
    return await PatchCore.#open(backbone, resolveSettings(settings), options);
  }

  static async #open(
    file: BackboneFile,
    settings: Settings,
    options: DetectorOptions,
  ): Promise<PatchCore> {
    const { allowRandom = false, batch = 8 } = options;
    if (!Number.isInteger(batch) || batch < 1) {
      throw new RangeError(
        `Cannot use a batch of ${batch} images: expected an integer from 1 up`,
      );
    }
    const gpu = options.gpu ?? await Gpu.create();
    try {
      const { layers } = settings;
      const backbone = await Backbone.load(gpu, file, { layers, allowRandom });
      return new PatchCore(gpu, backbone, settings, options);
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
    const model = readModelFile(bytes);
    const { name, onnx } = model.backbone;
    const file = options.backbone ?? (onnx && { name, bytes: onnx });
    if (file === undefined) {
      throw new ModelFileError(
        `Cannot load the model: it was fitted with backbone "${name}" and does not contain it; give that ONNX file`,
      );
    }
    const settings = settingsFromJson(model.settings);
    const detector = await PatchCore.#open(
      file as BackboneFile,
      settings,
      { ...options, allowRandom: true },
    );
    try {
      checkBackbone(model, detector.#backbone);
      const { memoryBank, dim, origin, imageSizes } = model;
      const gpu = detector.#gpu;
      const bank = MemoryBank.upload(
        gpu,
        memoryBank,
        dim,
        new Int32Array(origin),
      );
      const [width, height] = imageSizes;
      const extractor = new FeatureExtractor(
        gpu,
        detector.#backbone,
        settings,
        FeatureExtractor.inputSize({ width, height }, settings),
        detector.#batch,
      );
      const search = await searchOf(gpu, bank);
      detector.#adopt({ model, bank, search, extractor });
      return detector;
    } catch (error) {
      detector.dispose();
      throw error;
    }
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
   * @param images Good parts only; all must give the same input size.
   * @param options Progress, images that fail, cancelling.
   * @returns What was done, and how long it took.
   * @throws {RangeError} If no image could be used.
   */
  async fit(
    images: ImageSources,
    options: WorkOptions = {},
  ): Promise<FitReport> {
    const sources: NamedImage[] = [];
    for await (const image of images) {
      sources.push(named(image, sources.length));
    }
    this.#release();
    const { report, ...fitted } = await fitModel(
      this.#gpu,
      this.#backbone,
      this.settings,
      sources,
      { ...options, batch: this.#batch },
    );
    this.#adopt(fitted);
    return report;
  }

  #adopt(parts: Omit<Fitted, "scores">): void {
    const { bank, search } = parts;
    const scores = new ImageScores(this.#gpu, bank.rows, search, this.settings);
    this.#fitted = { ...parts, scores };
  }

  /**
   * Scores images one after the other, in order; the next batch is decoded
   * while the GPU works.
   *
   * @param images What to inspect.
   * @param options Progress, images that fail, cancelling.
   * @throws {TypeError} If the detector is not fitted.
   */
  async *predict(
    images: ImageSources,
    options: WorkOptions = {},
  ): AsyncGenerator<Prediction> {
    const fitted = this.#requireFitted();
    let batch: Loaded[] = [];
    let count = 0;
    for await (const source of images) {
      options.signal?.throwIfAborted();
      const loaded = await this.#load(source, count++, fitted, options);
      if (loaded !== undefined) batch.push(loaded);
      if (batch.length === this.#batch) {
        yield* await this.#score(batch, fitted);
        batch = [];
      }
    }
    if (batch.length > 0) yield* await this.#score(batch, fitted);
  }

  async #load(
    source: ImageSource,
    index: number,
    { extractor }: Fitted,
    options: WorkOptions,
  ): Promise<Loaded | undefined> {
    const image = named(source, index);
    const start = performance.now();
    try {
      const pixels = await loadPixels(image);
      extractor.check(pixels);
      return { name: image.name, pixels, ms: performance.now() - start };
    } catch (error) {
      reportImageError(image.name, error, options);
      return undefined;
    }
  }

  async #score(
    batch: readonly Loaded[],
    fitted: Fitted,
  ): Promise<Prediction[]> {
    const start = performance.now();
    const predictor = await this.#predictor(batch.length, fitted);
    const scored = await predictor.run(batch.map(({ pixels }) => pixels));
    const share = (performance.now() - start) / batch.length;
    return scored.map((image, i) =>
      describe(batch[i], image, share, fitted, this.settings)
    );
  }

  async #predictor(images: number, fitted: Fitted): Promise<BatchPredictor> {
    let predictor = this.#predictors.get(images);
    if (predictor === undefined) {
      predictor = await BatchPredictor.create(
        this.#gpu,
        { ...fitted, mapSettings: this.settings.map },
        images,
      );
      this.#predictors.set(images, predictor);
    }
    return predictor;
  }

  /**
   * The model file: one valid `.safetensors`.
   *
   * @throws {TypeError} If the detector is not fitted.
   */
  save(options: SaveOptions = {}): Uint8Array<ArrayBuffer> {
    const { model } = this.#requireFitted();
    return writeModelFile({
      ...model,
      backbone: this.#backbone.stored(options.bundle),
      bankPrecision: options.bankPrecision ?? "f32",
    });
  }

  #requireFitted(): Fitted {
    if (this.#fitted !== undefined) return this.#fitted;
    throw new TypeError(
      "Cannot use a detector that is not fitted: call fit() or PatchCore.load()",
    );
  }

  #release(): void {
    for (const predictor of this.#predictors.values()) predictor.dispose();
    this.#predictors.clear();
    if (this.#fitted === undefined) return;
    const { extractor, search, bank } = this.#fitted;
    extractor.dispose();
    search.dispose();
    bank.dispose();
    this.#fitted = undefined;
  }

  /** Frees all that is on the GPU, and the device if it is the detector's own. */
  dispose(): void {
    this.#release();
    this.#backbone.dispose();
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
