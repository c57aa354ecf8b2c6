import { Mt19937 } from "../settings/random.ts";
import type { NamedImage } from "./image_source.ts";
import { isFirst, type Tile } from "./tile.ts";

/** A training image that was drawn. */
export interface SampledImage {
  /** Where to load it again. */
  readonly source: NamedImage;
  /** Its number among the training images, views counted. */
  readonly index: number;
}

/**
 * A sample of the images of a stream of unknown length: every image is as
 * likely as any other to be in it (reservoir sampling, Vitter's algorithm R).
 * Other views than an image itself are passed by.
 */
export class ImageSample {
  readonly #size: number;
  readonly #random: Mt19937;
  readonly #images: SampledImage[] = [];
  #seen = 0;

  /**
   * @param size The most images.
   * @param seed Where the draw starts.
   */
  constructor(size: number, seed: number) {
    this.#size = size;
    this.#random = new Mt19937(seed);
  }

  /**
   * Adds the images whose first tile is in a batch.
   *
   * @param first Number of its first tile, tiles and views counted.
   */
  add(batch: readonly Tile[], first: number): void {
    batch.forEach((tile, i) => {
      if (!isFirst(tile)) return;
      const image = { source: tile.image.source, index: first + i };
      this.#seen++;
      if (this.#images.length < this.#size) this.#images.push(image);
      else {
        const place = this.#random.below(this.#seen);
        if (place < this.#size) this.#images[place] = image;
      }
    });
  }

  /** The images drawn, in the order of the stream. */
  get images(): SampledImage[] {
    return this.#images.toSorted((a, b) => a.index - b.index);
  }
}
