import type { Gpu } from "../../gpu/mod.ts";
import type { Session } from "../../nn/session.ts";
import type { Backbone } from "../features/backbone.ts";
import { FeatureExtractor } from "../features/extractor.ts";
import { loadPixels, type NamedImage } from "../features/image_source.ts";
import { reportImageError, type WorkOptions } from "../features/progress.ts";
import type { Settings } from "../settings/settings.ts";
import type { ImageSize } from "./ground_truth.ts";

/** A batch whose taps are on the GPU. */
export interface TapBatch {
  /** Names of its images. */
  readonly names: readonly string[];
  /** Their sizes before the resize. */
  readonly sizes: readonly ImageSize[];
  /** Holds the taps until the next batch is asked for. */
  readonly session: Session;
}

/** Runs images through a backbone, a batch at a time, and keeps nothing. */
export class TapStream implements Disposable {
  readonly #gpu: Gpu;
  readonly #backbone: Backbone;
  readonly #settings: Settings;
  readonly #batch: number;
  #extractor: FeatureExtractor | undefined;

  /**
   * @param gpu The device.
   * @param backbone The network, tapped at the settings' layers.
   * @param settings Input geometry and features.
   * @param batch Images of a batch.
   */
  constructor(
    gpu: Gpu,
    backbone: Backbone,
    settings: Settings,
    batch: number,
  ) {
    this.#gpu = gpu;
    this.#backbone = backbone;
    this.#settings = settings;
    this.#batch = batch;
  }

  /** Made for the size of the first image; absent before it. */
  get extractor(): FeatureExtractor | undefined {
    return this.#extractor;
  }

  /**
   * Taps of all images that can be used, in order.
   *
   * @param images What to run.
   * @param options Images that fail, cancelling.
   */
  async *run(
    images: readonly NamedImage[],
    options: WorkOptions,
  ): AsyncGenerator<TapBatch> {
    let batch: Loaded[] = [];
    for (const image of images) {
      options.signal?.throwIfAborted();
      const loaded = await this.#load(image, options);
      if (loaded !== undefined) batch.push(loaded);
      if (batch.length < this.#batch) continue;
      yield await this.#submit(batch);
      batch = [];
    }
    if (batch.length > 0) yield await this.#submit(batch);
  }

  async #load(
    image: NamedImage,
    options: WorkOptions,
  ): Promise<Loaded | undefined> {
    try {
      const pixels = await loadPixels(image);
      this.#extractor ??= new FeatureExtractor(
        this.#gpu,
        this.#backbone,
        this.#settings,
        FeatureExtractor.inputSize(pixels, this.#settings),
        this.#batch,
      );
      this.#extractor.check(pixels);
      return { name: image.name, pixels };
    } catch (error) {
      reportImageError(image.name, error, options);
      return undefined;
    }
  }

  async #submit(batch: readonly Loaded[]): Promise<TapBatch> {
    const session = await this.#extractor!.session(batch.length);
    const pixels = batch.map(({ pixels }) => pixels);
    await this.#extractor!.encode(session, pixels);
    this.#gpu.submit([session.program]);
    return {
      names: batch.map(({ name }) => name),
      sizes: pixels.map(({ width, height }) => ({ width, height })),
      session,
    };
  }

  /** Frees everything but the backbone. */
  dispose(): void {
    this.#extractor?.dispose();
    this.#extractor = undefined;
  }

  /** Same as {@linkcode TapStream.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

interface Loaded {
  readonly name: string;
  readonly pixels: Awaited<ReturnType<typeof loadPixels>>;
}
