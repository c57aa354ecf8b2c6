import {
  type Gpu,
  type RowChunks,
  StageClock,
  type Tensor,
} from "../../gpu/mod.ts";
import { isComparable } from "./row_length.ts";
import type { Settings } from "../settings/settings.ts";
import type { Backbone } from "./backbone.ts";
import { FeatureExtractor } from "./extractor.ts";
import { ImageBatches, type LoadedImage } from "./image_batches.ts";
import { type ImageSources, named, type NamedImage } from "./image_source.ts";
import type { View } from "../images/views.ts";
import type { PatchMask } from "./foreground.ts";
import type { WorkOptions } from "./progress.ts";

/** Options of {@linkcode FeatureStream}. */
export interface ExtractOptions extends WorkOptions {
  /** Images of a batch. */
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
}

/**
 * Decodes images a batch at a time and turns them into patch features: while
 * the GPU works on one batch the next is decoded. It holds one batch of images
 * and no features.
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
  readonly #loading: ImageBatches;
  readonly #batches: AsyncIterator<LoadedImage[]>;
  readonly #clock: StageClock | undefined;
  readonly #ownsExtractor: boolean;
  /**
   * Which patches of the images are of the part, in order of submission, views
   * left out; none where settings do not ask for it.
   */
  readonly masks: PatchMask[] = [];
  #extractor: FeatureExtractor | undefined;
  #norms: Tensor | undefined;
  #mask: Tensor | undefined;
  #running: readonly LoadedImage[] | undefined;

  /** Starts before the first image. */
  constructor(
    gpu: Gpu,
    parts: StreamParts,
    feed: ImageFeed,
    options: ExtractOptions,
  ) {
    const { backbone, settings } = parts;
    this.#gpu = gpu;
    this.#feed = feed;
    this.#options = options;
    this.#extractor = parts.extractor;
    this.#ownsExtractor = parts.extractor === undefined;
    this.#loading = new ImageBatches(feed.images, {
      ...options,
      range: settings.range,
      ...(feed.views && { views: feed.views }),
      check: (pixels) => {
        this.#extractor ??= FeatureExtractor.forImage(
          gpu,
          backbone,
          settings,
          pixels,
          options.batch,
        );
        this.#extractor.check(pixels);
      },
    });
    this.#batches = this.#loading[Symbol.asyncIterator]();
    this.#clock = StageClock.create(gpu, 2);
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

  /** Images that were looked at, the unusable ones included. */
  get seen(): number {
    return this.#loading.seen;
  }

  /** Decodes the next batch; an empty one after the last image. */
  async next(): Promise<LoadedImage[]> {
    const next = await this.#batches.next();
    this.seconds.decode = this.#loading.seconds;
    return next.done ? [] : next.value;
  }

  /**
   * Runs a batch; returns when the one before is done.
   *
   * @param batch As {@linkcode FeatureStream.next} returned it.
   * @param rows Where the features go.
   * @param firstRow The row of the first image's first patch.
   * @throws {RangeError} If the batch before gave features that are not finite.
   */
  async submit(
    batch: readonly LoadedImage[],
    rows: RowChunks,
    firstRow: number,
  ): Promise<void> {
    const { extractor } = this;
    await this.wait();
    const session = await extractor.session(batch.length);
    await extractor.encode(session, batch.map(({ pixels }) => pixels));
    const { patches: perImage } = extractor.features;
    this.#norms ??= this.#gpu.tensor(
      [this.#options.batch * perImage],
      "f32",
      "lengths of patch features",
    );
    if (extractor.seesForeground) {
      this.#mask ??= this.#gpu.tensor(
        [this.#options.batch * perImage],
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
    const { name } = batch[Math.floor(bad / patches)]!.source;
    throw new RangeError(
      `Cannot fit image "${name}": the network gives features for it that are not finite or too large to compare; its levels, or the weights of the backbone, are beyond what the network can take`,
    );
  }

  #keepMasks(batch: readonly LoadedImage[], masks: Uint32Array): void {
    const { patches } = this.extractor.features;
    batch.forEach(({ view }, i) => {
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
  /** Views of them all, each image among its own. */
  views = 0;

  /** Adds a batch. */
  add(batch: readonly LoadedImage[]): void {
    for (const { source, view, pixels: { width, height } } of batch) {
      this.views++;
      if (view > 0) continue;
      this.names.push(source.name);
      this.sizes.push([width, height]);
    }
  }
}
