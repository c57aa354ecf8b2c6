import type { Pixels } from "../images/pixels.ts";
import {
  type ImageSource,
  type ImageSources,
  loadPixels,
  named,
  type NamedImage,
} from "./image_source.ts";
import { reportImageError, type WorkOptions } from "./progress.ts";

/** An image that was decoded. */
export interface LoadedImage {
  /** Where it came from. */
  readonly source: NamedImage;
  /** Which of the images it is, those that could not be used counted. */
  readonly index: number;
  /** The image as it was decoded. */
  readonly pixels: Pixels;
  /** Milliseconds that reading and decoding took. */
  readonly ms: number;
}

/** What {@linkcode ImageBatches} goes by. */
export interface BatchOptions extends WorkOptions {
  /** Images of a batch. */
  readonly batch: number;
  /** Throws for an image that cannot be used with the others. */
  readonly check?: (pixels: Pixels, name: string) => void;
}

/**
 * Images loaded and decoded a batch at a time, in order, one after the other.
 * The batch that is asked for next is decoded while the GPU works on the one
 * before, as long as nothing waits for the GPU between the two. Images that
 * cannot be used are reported and left out; only the last batch is smaller.
 */
export class ImageBatches implements AsyncIterable<LoadedImage[]> {
  readonly #images: ImageSources;
  readonly #options: BatchOptions;
  #seen = 0;
  #milliseconds = 0;

  /** Loads nothing before the first batch is asked for. */
  constructor(images: ImageSources, options: BatchOptions) {
    this.#images = images;
    this.#options = options;
  }

  /** Images that were looked at so far, the unusable ones included. */
  get seen(): number {
    return this.#seen;
  }

  /** Seconds that reading and decoding took so far. */
  get seconds(): number {
    return this.#milliseconds / 1000;
  }

  /**
   * The batches.
   *
   * @throws What an image cannot be used for, where nobody is told of it.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<LoadedImage[]> {
    let batch: LoadedImage[] = [];
    for await (const source of this.#images) {
      this.#options.signal?.throwIfAborted();
      const loaded = await this.#load(source, this.#seen++);
      if (loaded !== undefined) batch.push(loaded);
      if (batch.length < this.#options.batch) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  async #load(
    image: ImageSource,
    index: number,
  ): Promise<LoadedImage | undefined> {
    const source = named(image, index);
    const start = performance.now();
    try {
      const pixels = await loadPixels(source);
      this.#options.check?.(pixels, source.name);
      return { source, index, pixels, ms: performance.now() - start };
    } catch (error) {
      reportImageError(source.name, error, this.#options);
      return undefined;
    } finally {
      this.#milliseconds += performance.now() - start;
    }
  }
}
