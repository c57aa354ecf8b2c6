import {
  type Gpu,
  type RowChunks,
  StageClock,
  type Tensor,
} from "../../gpu/mod.ts";
import type { Pixels } from "../images/pixels.ts";
import { inputSize, tileCounts } from "../images/tiles.ts";
import { isComparable } from "./row_length.ts";
import type { Settings } from "../settings/settings.ts";
import type { Backbone } from "./backbone.ts";
import { isTooLarge } from "./batch_too_large.ts";
import { FeatureExtractor } from "./extractor.ts";
import { ImageBatches, type LoadedImage } from "./image_batches.ts";
import { type ImageSources, named, type NamedImage } from "./image_source.ts";
import type { View } from "../images/views.ts";
import type { PatchMask } from "./foreground.ts";
import { ImagesDisagreeError, type WorkOptions } from "./progress.ts";
import { isFirst, type Tile, tilesOf } from "./tile.ts";

/** Options of {@linkcode FeatureStream}. */
export interface ExtractOptions extends WorkOptions {
  /** Tiles of a batch, if the adapter binds as many. */
  readonly batch: number;
  /**
   * Whether images are taken whose features are not finite, as their scores are
   * going to tell; `false` by default.
   */
  readonly takesAnyFeatures?: boolean;
}

/** Training images, one after the other. */
export interface ImageFeed {
  /** The images. */
  readonly images: Iterable<NamedImage> | AsyncIterable<NamedImage>;
  /** How many they are, if that is known. */
  readonly count: number | undefined;
  /**
   * Whether the caller lists them all, so that to keep their sources takes no
   * more memory and any of them can be loaded again; `false` by default.
   */
  readonly areListed?: boolean;
  /** Views that each is taken in, the image itself first; itself by default. */
  readonly views?: readonly View[];
}

/**
 * Images as a fit takes them: those of a list one after the other, those of an
 * iterable as they come. Where nothing tells how many there are, and without a
 * memory budget, they are listed first.
 *
 * @param count How many there are, for an iterable that does not tell.
 * @param memoryBudget GPU bytes that may be allocated, if there is a limit.
 * @throws {RangeError} If `count` is not a positive integer.
 */
export async function feedOf(
  images: ImageSources,
  count: number | undefined,
  memoryBudget: number | undefined,
): Promise<ImageFeed> {
  if (count !== undefined && !(Number.isSafeInteger(count) && count >= 1)) {
    throw new RangeError(
      `Cannot fit ${count} images: count must be an integer from 1 up`,
    );
  }
  const known = Array.isArray(images) ? images.length : count;
  const stream = namedImages(images);
  if (known !== undefined || memoryBudget !== undefined) {
    const areListed = Array.isArray(images);
    return { images: stream, count: known, areListed };
  }
  const list: NamedImage[] = [];
  for await (const image of stream) list.push(image);
  return { images: list, count: list.length };
}

async function* namedImages(images: ImageSources): AsyncGenerator<NamedImage> {
  let index = 0;
  for await (const image of images) yield named(image, index++);
}

/** How images become features. */
export interface StreamParts {
  /** The network, tapped at the settings' layers. */
  readonly backbone: Backbone;
  /** Input geometry and patches. */
  readonly settings: Settings;
  /** Images to features; by default made for the first image that is usable. */
  readonly extractor?: FeatureExtractor;
  /**
   * Size of an image, `[width, height]`, that all have to go with; by default
   * that of the first one that is usable.
   */
  readonly like?: readonly [number, number] | undefined;
  /** The place of the one tile that is wanted of each image; by default all are. */
  readonly only?: number | undefined;
  /**
   * Whether one of these is wanted, by the number of its image, views counted,
   * among those that could be used and its order; by default all are.
   */
  readonly wants?: (image: number, order: number) => boolean;
}

/** An image that the others have to go with. */
interface Model {
  /** Its name; none where it is one of an earlier fit or pass. */
  readonly name: string | undefined;
  /** Its size in pixels, `[width, height]`. */
  readonly size: readonly [number, number];
  /** Rows and columns of its tiles. */
  readonly tiles: readonly [number, number];
}

/**
 * Decodes images one after the other and turns them into patch features, a batch
 * of tiles at a time: while the GPU works on one batch the next is decoded. It
 * holds the images of one batch and no features.
 */
export class FeatureStream implements Disposable {
  /** Seconds of decoding, of the backbone and of patch features so far. */
  readonly seconds: { decode: number; trunk: number; patches: number } = {
    decode: 0,
    trunk: 0,
    patches: 0,
  };
  readonly #gpu: Gpu;
  readonly #feed: ImageFeed;
  readonly #options: ExtractOptions;
  readonly #parts: StreamParts;
  readonly #loading: ImageBatches;
  readonly #images: AsyncIterator<LoadedImage[]>;
  readonly #clock: StageClock | undefined;
  readonly #ownsExtractor: boolean;
  /**
   * Which patches of the images are of the part, in order of submission, views
   * left out; none where settings do not ask for it.
   */
  readonly masks: PatchMask[] = [];
  #extractor: FeatureExtractor | undefined;
  #model: Model | undefined;
  #waiting: Tile[] = [];
  #used = 0;
  #batch: number | undefined;
  #norms: Tensor | undefined;
  #mask: Tensor | undefined;
  #running: readonly Tile[] | undefined;

  /** Starts before the first image. */
  constructor(
    gpu: Gpu,
    parts: StreamParts,
    feed: ImageFeed,
    options: ExtractOptions,
  ) {
    const { settings, like } = parts;
    this.#gpu = gpu;
    this.#feed = feed;
    this.#parts = parts;
    this.#options = options;
    this.#extractor = parts.extractor;
    this.#ownsExtractor = parts.extractor === undefined;
    if (like !== undefined) {
      const [width, height] = like;
      const tiles = tileCounts({ width, height }, settings);
      this.#model = { name: undefined, size: like, tiles };
    }
    this.#loading = new ImageBatches(feed.images, {
      ...options,
      range: settings.range,
      ...(feed.views && { views: feed.views }),
      batch: 1,
      check: (pixels, name) => this.#check(pixels, name),
    });
    this.#images = this.#loading[Symbol.asyncIterator]();
    this.#clock = StageClock.create(gpu, 2);
  }

  /**
   * Checks that an image goes with the others.
   *
   * @throws {ImagesDisagreeError} If it does not: to leave it out, or the others,
   * is not for the program to decide.
   */
  #check(pixels: Pixels, name: string): void {
    const { backbone, settings } = this.#parts;
    const { width, height } = pixels;
    const tiles = tileCounts(pixels, settings);
    const model = this.#model ??= { name, size: [width, height], tiles };
    const [modelWidth, modelHeight] = model.size;
    const like = { width: modelWidth, height: modelHeight };
    this.#extractor ??= FeatureExtractor.forImage(
      this.#gpu,
      backbone,
      settings,
      like,
      this.#options.batch,
    );
    const [own, theirs] = [inputSize(pixels, settings), this.#extractor.input];
    const isTiled = settings.tiles !== undefined;
    if (own.join() === theirs.join() && tiles.join() === model.tiles.join()) {
      return;
    }
    const input = ([height, width]: readonly number[]): string =>
      `${width} × ${height}`;
    const what = (
      tiles: readonly [number, number],
      size: readonly [number, number],
    ): string =>
      isTiled ? `${input(tiles)} tiles of ${input(size)}` : input(size);
    const other = model.name === undefined
      ? "the images before"
      : `"${model.name}" of ${modelWidth} × ${modelHeight}`;
    throw new ImagesDisagreeError(
      `Cannot fit: image "${name}" of ${width} × ${height} pixels becomes ${
        what(tiles, own)
      }, ${other} ${model.name === undefined ? "become" : "becomes"} ${
        what(model.tiles, theirs)
      }, and all have to become the same; ${
        isTiled
          ? "fit images of one shape, or leave tiles out"
          : "fit images of one shape, with a crop (--crop), or resized to a square (--square)"
      }`,
    );
  }

  /**
   * Turns images into features.
   *
   * @throws {RangeError} If no image could be used.
   */
  get extractor(): FeatureExtractor {
    if (this.#extractor !== undefined) return this.#extractor;
    throw new RangeError(
      `Cannot fit: none of ${this.seen} images could be used`,
    );
  }

  /**
   * Rows and columns of tiles that every image is seen in; `[1, 1]` where images
   * are seen as a whole.
   *
   * @throws {RangeError} If no image could be used.
   */
  get tiles(): readonly [number, number] {
    void this.extractor;
    return this.#model?.tiles ?? [1, 1];
  }

  /** Size of the image that all go with, once there is one. */
  get like(): readonly [number, number] | undefined {
    return this.#model?.size;
  }

  /** Images that could be used so far, views counted. */
  get used(): number {
    return this.#used;
  }

  /** Tiles of a batch: as many as were asked for, or as the adapter binds. */
  get batch(): number {
    const most = this.#extractor?.maxImages ?? Infinity;
    return this.#batch ?? Math.min(this.#options.batch, most);
  }

  /** Images that were looked at, the unusable ones included. */
  get seen(): number {
    return this.#loading.seen;
  }

  /**
   * Decodes the next batch; an empty one after the last image. The first is
   * halved until the adapter binds what it takes, and the others are as large.
   *
   * @throws {GpuError} If not even one tile can be had.
   */
  async next(): Promise<Tile[]> {
    const { settings, only, wants = () => true } = this.#parts;
    while (this.#waiting.length < this.batch) {
      const next = await this.#images.next();
      if (next.done) break;
      const image = this.#used++;
      const [loaded] = next.value as [LoadedImage];
      this.#waiting.push(
        ...tilesOf(loaded, settings, only)
          .filter(({ order }) => wants(image, order)),
      );
    }
    this.seconds.decode = this.#loading.seconds;
    if (this.#waiting.length === 0) return [];
    this.#batch ??= await this.#mostOf(
      Math.min(this.batch, this.#waiting.length),
    );
    return this.#waiting.splice(0, this.#batch);
  }

  /** As many tiles as the adapter binds; the batch itself where it has more. */
  async #mostOf(tiles: number): Promise<number> {
    const { extractor, batch } = this;
    for (let images = tiles;; images = Math.ceil(images / 2)) {
      try {
        await extractor.session(images);
        return images === tiles ? batch : images;
      } catch (error) {
        if (images === 1 || !isTooLarge(error)) throw error;
        this.#gpu.pool.trim();
      }
    }
  }

  /**
   * Runs a batch; returns when the one before is done.
   *
   * @param batch As {@linkcode FeatureStream.next} returned it.
   * @param rows Where the features go.
   * @param firstRow The row of the first tile's first patch.
   * @throws {RangeError} If the batch before gave features that are not finite.
   */
  async submit(
    batch: readonly Tile[],
    rows: RowChunks,
    firstRow: number,
  ): Promise<void> {
    const { extractor } = this;
    await this.wait();
    const session = await extractor.session(batch.length);
    await extractor.encode(session, batch);
    const { patches: perTile } = extractor.features;
    this.#norms ??= this.#gpu.tensor(
      [this.batch * perTile],
      "f32",
      "lengths of patch features",
    );
    if (extractor.seesForeground) {
      this.#mask ??= this.#gpu.tensor(
        [this.batch * perTile],
        "u32",
        "foreground",
      );
    }
    using patches = await extractor.patchProgram(session, rows, firstRow, {
      norms: this.#norms,
      mask: this.#mask,
    });
    this.#gpu.submit([session.program, patches], this.#clock);
    this.#running = batch;
    this.#options.onProgress?.(
      "features",
      this.seen,
      this.#feed.count ?? Infinity,
    );
  }

  /**
   * Waits for the batch on the GPU and adds its times.
   *
   * @throws {RangeError} If an image's features are not finite, or so large that
   * their distances are not.
   */
  async wait(): Promise<void> {
    const batch = this.#running;
    if (batch === undefined) return;
    this.#running = undefined;
    const isTimed = this.#clock !== undefined &&
      this.#gpu.profiler === undefined;
    const read = await this.#gpu.readAll([
      this.#norms!,
      ...(isTimed ? [this.#clock!.ticks] : []),
      ...(this.#mask ? [this.#mask] : []),
    ]);
    const norms = read[0]!;
    if (this.#mask) this.#keepMasks(batch, read.at(-1) as Uint32Array);
    if (isTimed) {
      const [trunk, patches] = this.#clock!.milliseconds(
        read[1] as Uint32Array,
      );
      this.seconds.trunk += trunk / 1000;
      this.seconds.patches += patches / 1000;
    }
    if (this.#options.takesAnyFeatures || this.#gpu.isDry) return;
    const { patches } = this.extractor.features;
    const count = batch.length * patches;
    const bad = norms.subarray(0, count).findIndex((x) => !isComparable(x));
    if (bad < 0) return;
    const { name } = batch[Math.floor(bad / patches)]!.image.source;
    throw new RangeError(
      `Cannot fit image "${name}": the network gives features for it that are not finite or too large to compare; its levels, or the weights of the backbone, are beyond what the network can take`,
    );
  }

  #keepMasks(batch: readonly Tile[], masks: Uint32Array): void {
    const { patches } = this.extractor.features;
    batch.forEach(({ image: { view } }, i) => {
      if (view > 0) return;
      const mask = masks.subarray(i * patches, (i + 1) * patches);
      this.masks.push(Uint8Array.from(mask));
    });
  }

  /** Frees the clock and, unless it was given or taken, the extractor. */
  [Symbol.dispose](): void {
    this.#clock?.dispose();
    this.#norms?.dispose();
    this.#mask?.dispose();
    if (this.#ownsExtractor) this.#extractor?.[Symbol.dispose]();
  }

  /** Hands the extractor over to the caller, who disposes it. */
  takeExtractor(): FeatureExtractor {
    const { extractor } = this;
    this.#extractor = undefined;
    return extractor;
  }
}

/** Names and sizes of images that were used. */
export class ImageLog {
  /** Names in order. */
  readonly names: string[] = [];
  /** Width and height of each, in pixels. */
  readonly sizes: (readonly [number, number])[] = [];
  /** Tiles of them all in all views. */
  views = 0;

  /** Adds a batch: images count from their first tile on. */
  add(batch: readonly Tile[]): void {
    this.views += batch.length;
    for (const tile of batch) {
      if (!isFirst(tile)) continue;
      const { image: { source }, pixels } = tile;
      this.names.push(source.name);
      this.sizes.push([pixels.width, pixels.height]);
    }
  }
}
