import { type Gpu, RowChunks, StageClock } from "../../gpu/mod.ts";
import type { Pixels } from "../images/pixels.ts";
import type { Settings } from "../settings/settings.ts";
import type { Backbone } from "./backbone.ts";
import { FeatureExtractor } from "./extractor.ts";
import { loadPixels, type NamedImage } from "./image_source.ts";
import { reportImageError, type WorkOptions } from "./progress.ts";

/** Patch features of all training images. */
export interface TrainingFeatures extends Disposable {
  /** The features, images in order. */
  readonly rows: RowChunks;
  /** Turned images into them. */
  readonly extractor: FeatureExtractor;
  /** Names of the images that could be used. */
  readonly names: readonly string[];
  /** Their sizes in pixels `[width, height]`. */
  readonly sizes: readonly (readonly [number, number])[];
  /** Seconds of decoding, of the backbone and of patch features. */
  readonly seconds: {
    readonly decode: number;
    readonly trunk: number;
    readonly patches: number;
  };
}

/** Options of {@linkcode extractTrainingFeatures}. */
export interface ExtractOptions extends WorkOptions {
  /** Images of a batch. */
  readonly batch: number;
}

/**
 * Computes the patch features of the training images, a batch at a time: while
 * the GPU works on one batch the next is decoded.
 *
 * @throws {RangeError} If no image could be used.
 */
export async function extractTrainingFeatures(
  gpu: Gpu,
  backbone: Backbone,
  settings: Settings,
  images: readonly NamedImage[],
  options: ExtractOptions,
): Promise<TrainingFeatures> {
  const work = new Extraction(gpu, backbone, settings, images.length, options);
  try {
    let batch: Loaded[] = [];
    for (const image of images) {
      options.signal?.throwIfAborted();
      const loaded = await work.load(image);
      if (loaded !== undefined) batch.push(loaded);
      if (batch.length === options.batch) {
        await work.submit(batch);
        batch = [];
      }
    }
    if (batch.length > 0) await work.submit(batch);
    return await work.finish();
  } catch (error) {
    work.dispose();
    throw error;
  }
}

interface Loaded {
  readonly name: string;
  readonly pixels: Pixels;
}

class Extraction {
  readonly #gpu: Gpu;
  readonly #backbone: Backbone;
  readonly #settings: Settings;
  readonly #total: number;
  readonly #options: ExtractOptions;
  readonly #clock: StageClock | undefined;
  readonly #loaded: Pick<Pixels, "width" | "height">[] = [];
  readonly #names: string[] = [];
  readonly #seconds = { decode: 0, trunk: 0, patches: 0 };
  #extractor: FeatureExtractor | undefined;
  #rows: RowChunks | undefined;
  #seen = 0;
  #running = false;

  constructor(
    gpu: Gpu,
    backbone: Backbone,
    settings: Settings,
    total: number,
    options: ExtractOptions,
  ) {
    this.#gpu = gpu;
    this.#backbone = backbone;
    this.#settings = settings;
    this.#total = total;
    this.#options = options;
    this.#clock = StageClock.create(gpu, 2);
  }

  /** Decodes an image; the first one decides the input size. */
  async load(image: NamedImage): Promise<Loaded | undefined> {
    const start = performance.now();
    this.#seen++;
    try {
      const pixels = await loadPixels(image);
      this.#prepare(pixels).check(pixels);
      return { name: image.name, pixels };
    } catch (error) {
      reportImageError(image.name, error, this.#options);
      return undefined;
    } finally {
      this.#seconds.decode += (performance.now() - start) / 1000;
    }
  }

  #prepare(pixels: Pixels): FeatureExtractor {
    if (this.#extractor !== undefined) return this.#extractor;
    const input = FeatureExtractor.inputSize(pixels, this.#settings);
    const { batch } = this.#options;
    const extractor = new FeatureExtractor(
      this.#gpu,
      this.#backbone,
      this.#settings,
      input,
      batch,
    );
    const { patches, paddedDim } = extractor.features;
    this.#rows = RowChunks.allocate(
      this.#gpu,
      this.#total * patches,
      paddedDim,
      "patch features",
      patches,
    );
    this.#extractor = extractor;
    return extractor;
  }

  /** Runs a batch; returns when the one before is done. */
  async submit(batch: readonly Loaded[]): Promise<void> {
    const extractor = this.#extractor!;
    await this.#wait();
    const session = await extractor.session(batch.length);
    await extractor.encode(session, batch.map(({ pixels }) => pixels));
    const firstRow = this.#names.length * extractor.features.patches;
    using patches = await extractor.patchProgram(
      session,
      this.#rows!,
      firstRow,
    );
    this.#gpu.submit([session.program, patches], this.#clock);
    this.#running = true;
    for (const { name, pixels } of batch) {
      this.#names.push(name);
      this.#loaded.push({ width: pixels.width, height: pixels.height });
    }
    this.#options.onProgress?.("features", this.#seen, this.#total);
  }

  /** Waits for the batch on the GPU and adds its times. */
  async #wait(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    if (this.#clock === undefined || this.#gpu.profiler !== undefined) {
      return await this.#gpu.finish();
    }
    const ticks = await this.#gpu.read(this.#clock.ticks);
    const [trunk, patches] = this.#clock.milliseconds(ticks as Uint32Array);
    this.#seconds.trunk += trunk / 1000;
    this.#seconds.patches += patches / 1000;
  }

  async finish(): Promise<TrainingFeatures> {
    const extractor = this.#extractor;
    const rows = this.#rows;
    if (extractor === undefined || rows === undefined) {
      throw new RangeError(
        `Cannot fit: none of ${this.#total} images could be used`,
      );
    }
    await this.#wait();
    this.#clock?.dispose();
    return {
      rows: rows.head(this.#names.length * extractor.features.patches),
      extractor,
      names: this.#names,
      sizes: this.#loaded.map(({ width, height }) => [width, height]),
      seconds: this.#seconds,
      [Symbol.dispose]: () => rows.dispose(),
    };
  }

  dispose(): void {
    this.#clock?.dispose();
    this.#rows?.dispose();
    this.#extractor?.dispose();
  }
}
