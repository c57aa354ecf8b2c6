import type { Gpu } from "../../../gpu/mod.ts";
import type { MemoryBank } from "../../bank/memory_bank.ts";
import type { BankSearch } from "../../search/search.ts";
import type { StoredModel } from "../../model/stored_model.ts";
import { ImageScores } from "../../score/image_score.ts";
import type { Settings } from "../../settings/settings.ts";
import { describe, type Loaded } from "./describe.ts";
import type { FeatureExtractor } from "../../features/extractor.ts";
import {
  type ImageSource,
  type ImageSources,
  loadPixels,
  named,
} from "../../features/image_source.ts";
import type { Prediction } from "./prediction.ts";
import { BatchPredictor, type SubmittedBatch } from "./batch_predictor.ts";
import { reportImageError, type WorkOptions } from "../../features/progress.ts";

/** A fitted model on the GPU. */
export interface InspectorParts {
  /** Everything a model file holds. */
  readonly model: StoredModel;
  /** The memory bank. */
  readonly bank: MemoryBank;
  /** Finds neighbours in it. */
  readonly search: BankSearch;
  /** Turns images into features. */
  readonly extractor: FeatureExtractor;
}

interface RunningBatch {
  readonly images: readonly Loaded[];
  readonly batch: SubmittedBatch;
  /** Milliseconds until it was submitted. */
  readonly ms: number;
}

/** Scores images with a fitted model, which it owns. */
export class Inspector implements Disposable {
  /** Everything a model file holds. */
  readonly model: StoredModel;
  readonly #gpu: Gpu;
  readonly #parts: InspectorParts;
  readonly #settings: Settings;
  readonly #scores: ImageScores;
  readonly #batch: number;
  readonly #predictors = new Map<number, BatchPredictor>();

  /**
   * @param gpu The device that the parts are on.
   * @param parts The fitted model; the inspector takes ownership.
   * @param settings The settings it was fitted with.
   * @param batch Images of a batch.
   */
  constructor(
    gpu: Gpu,
    parts: InspectorParts,
    settings: Settings,
    batch: number,
  ) {
    this.model = parts.model;
    this.#gpu = gpu;
    this.#parts = parts;
    this.#settings = settings;
    this.#batch = batch;
    const { bank, search } = parts;
    this.#scores = new ImageScores(gpu, bank.rows, search, settings);
  }

  /** Scores images in order; the GPU works on a batch while the next is decoded. */
  async *predict(
    images: ImageSources,
    options: WorkOptions,
  ): AsyncGenerator<Prediction> {
    let batch: Loaded[] = [];
    let running: RunningBatch | undefined;
    let count = 0;
    for await (const source of images) {
      options.signal?.throwIfAborted();
      const loaded = await this.#load(source, count++, options);
      if (loaded !== undefined) batch.push(loaded);
      if (batch.length < this.#batch) continue;
      if (running !== undefined) yield* await this.#collect(running);
      running = await this.#submit(batch);
      batch = [];
    }
    if (running !== undefined) yield* await this.#collect(running);
    if (batch.length > 0) yield* await this.#collect(await this.#submit(batch));
  }

  async #load(
    source: ImageSource,
    index: number,
    options: WorkOptions,
  ): Promise<Loaded | undefined> {
    const image = named(source, index);
    const start = performance.now();
    try {
      const pixels = await loadPixels(image);
      this.#parts.extractor.check(pixels);
      return { name: image.name, pixels, ms: performance.now() - start };
    } catch (error) {
      reportImageError(image.name, error, options);
      return undefined;
    }
  }

  async #submit(images: readonly Loaded[]): Promise<RunningBatch> {
    const start = performance.now();
    const predictor = await this.#predictor(images.length);
    const batch = await predictor.submit(images.map(({ pixels }) => pixels));
    return { images, batch, ms: performance.now() - start };
  }

  async #collect({ images, batch, ms }: RunningBatch): Promise<Prediction[]> {
    const start = performance.now();
    const scored = await batch.collect();
    const share = (ms + performance.now() - start) / images.length;
    return scored.map((image, i) =>
      describe(images[i], image, share, this.#parts, this.#settings)
    );
  }

  async #predictor(images: number): Promise<BatchPredictor> {
    let predictor = this.#predictors.get(images);
    if (predictor === undefined) {
      const { extractor, search } = this.#parts;
      predictor = await BatchPredictor.create(this.#gpu, {
        extractor,
        search,
        scores: this.#scores,
        mapSettings: this.#settings.map,
      }, images);
      this.#predictors.set(images, predictor);
    }
    return predictor;
  }

  /** Frees the model and everything recorded. */
  dispose(): void {
    for (const predictor of this.#predictors.values()) predictor.dispose();
    this.#predictors.clear();
    const { extractor, search, bank } = this.#parts;
    extractor.dispose();
    search.dispose();
    bank.dispose();
  }

  /** Same as {@linkcode Inspector.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
