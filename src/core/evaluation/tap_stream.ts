import type { Gpu } from "../../gpu/mod.ts";
import type { Session } from "../../nn/session.ts";
import type { Backbone } from "../features/backbone.ts";
import { FeatureExtractor } from "../features/extractor.ts";
import { ImageBatches } from "../features/image_batches.ts";
import type { NamedImage } from "../features/image_source.ts";
import type { WorkOptions } from "../features/progress.ts";
import { tilesOf } from "../features/tile.ts";
import { inputSize } from "../images/tiles.ts";
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
   * @param backbone The network, tapped at the settings' layers.
   * @param settings Input geometry and features.
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

  /** Taps of all images that can be used, in order. */
  async *run(
    images: readonly NamedImage[],
    options: WorkOptions,
  ): AsyncGenerator<TapBatch> {
    const batches = new ImageBatches(images, {
      ...options,
      batch: this.#batch,
      range: this.#settings.range,
      check: (pixels) => {
        this.#extractor ??= new FeatureExtractor(
          this.#gpu,
          this.#backbone,
          this.#settings,
          inputSize(pixels, this.#settings),
          this.#batch,
        );
        this.#extractor.check(pixels);
      },
    });
    let isTuned = false;
    for await (const batch of batches) {
      if (!isTuned) await this.#extractor!.tune(batch.length);
      isTuned = true;
      const session = await this.#extractor!.session(batch.length);
      const tiles = batch.flatMap((image) => tilesOf(image, this.#settings));
      await this.#extractor!.encode(session, tiles);
      this.#gpu.submit([session.program]);
      yield {
        names: batch.map(({ source }) => source.name),
        sizes: batch.map(({ pixels: { width, height } }) => ({
          width,
          height,
        })),
        session,
      };
    }
  }

  /** Frees everything but the backbone. */
  [Symbol.dispose](): void {
    this.#extractor?.[Symbol.dispose]();
    this.#extractor = undefined;
  }
}
