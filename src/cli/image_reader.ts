import type { DecodeOptions, NamedImage, Pixels } from "../core/mod.ts";
import { type FilePixels, type PixelsTask, readPixels } from "./read_pixels.ts";
import { decodingFailed, ThreadError, ThreadPool } from "./thread_pool.ts";

/** What a thread answers to a path: the image, or why there is none. */
export type ReadImage =
  | FilePixels
  | { readonly name: string; readonly message: string };

interface ImageReaderOptions extends DecodeOptions {
  /** Looks at each image when it is taken; what it throws is told of it. */
  readonly onImage?: (path: string, image: FilePixels) => void;
  /** Starts a thread. */
  readonly startWorker?: () => Worker;
}

/** Images below which threads are not worth their start. */
const FEW = 8;

const MOST_THREADS = 4;

/** Images that are read before they are wanted, at most. */
const AHEAD = 16;

/** Bytes that these may have, as far as the largest so far tells. */
const AHEAD_BYTES = 256 * 2 ** 20;

/**
 * Reads and decodes image files in threads, ahead of whoever takes them one
 * after the other: the GPU does not wait for them, nor they for the GPU.
 */
export class ImageReader implements Disposable {
  /** The files in order; any of them can be loaded again. */
  readonly images: readonly NamedImage[];
  readonly #paths: readonly string[];
  readonly #threads: ThreadPool<PixelsTask, ReadImage> | undefined;
  readonly #decoding: DecodeOptions;
  readonly #onImage: ImageReaderOptions["onImage"];
  /** Images asked for and not yet taken, by their number. */
  readonly #reading = new Map<number, Promise<ReadImage>>();
  /** The image that will be taken next, if they go on in order. */
  #next = 0;
  /** Bytes of the largest image so far. */
  #largest: number | undefined;

  /**
   * Starts the threads and reads the first files; few are read without.
   *
   * @param paths The files, in the order in which they will be taken.
   * @param options How they are decoded, and who looks at them.
   */
  constructor(
    paths: readonly string[],
    options: ImageReaderOptions = {},
  ) {
    const { onImage, startWorker = newWorker, range, maxPixels } = options;
    this.#paths = paths;
    this.#decoding = { range, maxPixels };
    this.#onImage = onImage;
    this.images = paths.map((name, i) => ({
      name,
      content: () => this.#take(i),
    }));
    if (paths.length < FEW) return;
    const cores = navigator.hardwareConcurrency;
    const threads = Math.max(1, Math.min(MOST_THREADS, cores - 1));
    this.#threads = new ThreadPool({ threads, startWorker, depth: AHEAD });
    this.#readAhead(this.#threads);
  }

  async #take(index: number): Promise<Pixels> {
    const image = await this.#load(index);
    this.#onImage?.(this.#paths[index]!, image);
    return image.pixels;
  }

  async #load(index: number): Promise<FilePixels> {
    const path = this.#paths[index]!;
    const threads = this.#threads;
    if (threads === undefined) return await readPixels(this.#task(path));
    if (index !== this.#next) this.#reading.clear();
    const reading = this.#reading.get(index) ?? this.#read(threads, index);
    this.#reading.delete(index);
    const isInOrder = index === this.#next;
    this.#next = index + 1;
    if (isInOrder) this.#readAhead(threads);
    const image = await reading;
    if ("pixels" in image) return image;
    const { name, message } = image;
    throw Object.assign(new Error(message), { name });
  }

  #task(path: string): PixelsTask {
    return { ...this.#decoding, path };
  }

  #readAhead(threads: ThreadPool<PixelsTask, ReadImage>): void {
    const end = Math.min(this.#next + AHEAD, this.#paths.length);
    for (let i = this.#next; i < end; i++) {
      if (this.#reading.has(i)) continue;
      const bytes = (this.#reading.size + 1) * (this.#largest ?? Infinity);
      if (this.#reading.size > 0 && bytes > AHEAD_BYTES) return;
      this.#reading.set(i, this.#read(threads, i));
    }
  }

  async #read(
    threads: ThreadPool<PixelsTask, ReadImage>,
    index: number,
  ): Promise<ReadImage> {
    const path = this.#paths[index]!;
    try {
      const image = await threads.run(this.#task(path));
      if ("pixels" in image) {
        const { byteLength } = image.pixels.data;
        this.#largest = Math.max(this.#largest ?? 0, byteLength);
      }
      return image;
    } catch (error) {
      if (!(error instanceof ThreadError)) throw error;
      const { name, message } = decodingFailed(path, error);
      return { name, message };
    }
  }

  /** Ends the threads. */
  [Symbol.dispose](): void {
    this.#threads?.[Symbol.dispose]();
  }
}

function newWorker(): Worker {
  return new Worker(new URL("./image_reader_worker.ts", import.meta.url), {
    type: "module",
    name: "image reader",
  });
}
