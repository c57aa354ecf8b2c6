import type { Pixels } from "../images/pixels.ts";
import type { SampleRange } from "../settings/settings.ts";
import type { View } from "../images/views.ts";
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
  /** Which of its views this is; 0: the image itself. */
  readonly view: number;
  /** The image as it was decoded, or the view of it. */
  readonly pixels: Pixels;
  /** Milliseconds that reading and decoding took. */
  readonly ms: number;
}

/** What {@linkcode ImageBatches} goes by. */
export interface BatchOptions extends WorkOptions {
  /** Images of a batch. */
  readonly batch: number;
  /** Which samples of deep files become black and white: the settings'. */
  readonly range?: SampleRange | undefined;
  /** Throws for an image that cannot be used with the others. */
  readonly check?: (pixels: Pixels, name: string) => void;
  /** Views that each image is taken in, itself first; itself by default. */
  readonly views?: readonly View[];
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
    const { views = [], batch: size, signal } = this.#options;
    let batch: LoadedImage[] = [];
    for await (const source of this.#images) {
      signal?.throwIfAborted();
      const image = await this.#load(source, this.#seen++);
      if (image === undefined) continue;
      for (let view = 0; view < Math.max(1, views.length); view++) {
        batch.push(
          view === 0 ? image : this.#seenIn(image, views[view]!, view),
        );
        if (batch.length < size) continue;
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0) yield batch;
  }

  #seenIn(
    { source: { name, content }, index, pixels }: LoadedImage,
    { apply }: View,
    view: number,
  ): LoadedImage {
    const start = performance.now();
    const seen = apply(pixels);
    const ms = performance.now() - start;
    this.#milliseconds += ms;
    const again = async () =>
      apply(await loadPixels({ name, content }, this.#options));
    return { source: { name, content: again }, index, view, pixels: seen, ms };
  }

  async #load(
    image: ImageSource,
    index: number,
  ): Promise<LoadedImage | undefined> {
    const source = named(image, index);
    const start = performance.now();
    try {
      const pixels = await loadPixels(source, this.#options);
      this.#options.check?.(pixels, source.name);
      const ms = performance.now() - start;
      return { source, index, view: 0, pixels, ms };
    } catch (error) {
      reportImageError(source.name, error, this.#options);
      return undefined;
    } finally {
      this.#milliseconds += performance.now() - start;
    }
  }
}
