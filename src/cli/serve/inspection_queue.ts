import type { Pixels, Prediction } from "../../core/mod.ts";
import { decodedImages, type ServiceLimits } from "./limits.ts";
import { tooBusy } from "./problem.ts";

/** What is known of an inspected image; its pixels where they were asked for. */
export type Inspected = Omit<Prediction, "image"> & { readonly image?: Pixels };

/** A decoded image on its way to the GPU. */
export interface DecodedImage {
  /** What results call it. */
  readonly name: string;
  /** Its pixels, RGBA; handed over to the GPU's thread. */
  readonly pixels: Pixels;
  /** Whether the pixels are needed with the prediction. */
  readonly keepPixels: boolean;
}

/** An image to inspect. */
interface InspectionJob<T> {
  /** Which of the models inspects it. */
  readonly model: string;
  /** What results call the image. */
  readonly name: string;
  /** The file; it may be handed to another thread, and is empty afterwards. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether the pixels are needed with the prediction. */
  readonly keepPixels: boolean;
  /** Aborted with the error to fail with. */
  readonly signal: AbortSignal;
  /** Makes the answer; the image counts as decoded until it is done. */
  readonly finish: (inspected: Inspected) => Promise<T>;
}

/** Who does the queue's work. */
export interface QueueWorkers {
  /** Decodes an image, off this thread. */
  decode(job: InspectionJob<unknown>): Promise<Pixels>;
  /** Scores a batch, off this thread; an image's own failure is an error. */
  score(
    model: string,
    images: readonly DecodedImage[],
  ): Promise<readonly (Inspected | Error)[]>;
}

interface Waiting {
  readonly job: InspectionJob<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  pixels?: Pixels;
  decodeMs: number;
}

/**
 * Bounds what the service holds, decodes images a few at a time and scores them
 * in batches: whatever has gathered while the GPU was busy, of the model whose
 * oldest image waits longest. Sizes of batches are powers of two, so that the
 * GPU holds buffers for few of them.
 */
export class InspectionQueue {
  readonly #limits: ServiceLimits;
  readonly #workers: QueueWorkers;
  readonly #encoded: Waiting[] = [];
  readonly #decoded: Waiting[] = [];
  #reserved = 0;
  #decoding = 0;
  #held = 0;
  #scoring = 0;
  #busySince: number | undefined;

  /**
   * @param limits What it holds.
   * @param workers Who decodes and scores.
   */
  constructor(limits: ServiceLimits, workers: QueueWorkers) {
    this.#limits = limits;
    this.#workers = workers;
  }

  /** Images that room is taken for. */
  get images(): number {
    return this.#reserved;
  }

  /** Milliseconds that the GPU has worked on its batch; 0 while idle. */
  get busyMs(): number {
    return this.#busySince === undefined
      ? 0
      : performance.now() - this.#busySince;
  }

  /**
   * Finds out whether so many images would be held now.
   *
   * @throws {HttpProblem} 429 if not.
   */
  checkRoom(images: number): void {
    if (this.#reserved + images <= this.#limits.queue) return;
    throw tooBusy(
      `The service is full: it holds ${this.#reserved} of ${this.#limits.queue} images; send again in a moment`,
    );
  }

  /**
   * Takes room for images that have arrived, until it is disposed.
   *
   * @throws {HttpProblem} 429 if there is not as much.
   */
  reserve(images: number): Disposable {
    this.checkRoom(images);
    this.#reserved += images;
    let taken = images;
    return {
      [Symbol.dispose]: (): void => {
        this.#reserved -= taken;
        taken = 0;
      },
    };
  }

  /** Inspects an image that room is taken for. */
  inspect<T>(job: InspectionJob<T>): Promise<T> {
    const { signal } = job;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiting: Waiting = {
      job,
      resolve: resolve as (result: unknown) => void,
      reject,
      decodeMs: 0,
    };
    const onAbort = (): void => {
      this.#forget(waiting);
      reject(signal.reason);
    };
    if (signal.aborted) reject(signal.reason);
    else {
      signal.addEventListener("abort", onAbort);
      this.#encoded.push(waiting);
      this.#decodeMore();
    }
    return promise.finally(() => signal.removeEventListener("abort", onAbort));
  }

  /** Takes an image out that nobody waits for any more. */
  #forget(waiting: Waiting): void {
    remove(this.#encoded, waiting);
    if (remove(this.#decoded, waiting)) this.#letGo();
  }

  #letGo(): void {
    this.#held--;
    this.#decodeMore();
  }

  #decodeMore(): void {
    const { decoders } = this.#limits;
    const most = decodedImages(this.#limits);
    while (this.#decoding < decoders && this.#held < most) {
      const waiting = this.#encoded.shift();
      if (waiting === undefined) return;
      if (waiting.job.signal.aborted) continue;
      this.#decoding++;
      this.#held++;
      void this.#decode(waiting);
    }
  }

  async #decode(waiting: Waiting): Promise<void> {
    const { job, reject } = waiting;
    const start = performance.now();
    try {
      waiting.pixels = await this.#workers.decode(job);
      waiting.decodeMs = performance.now() - start;
    } catch (error) {
      reject(error);
    }
    this.#decoding--;
    if (waiting.pixels === undefined || job.signal.aborted) this.#letGo();
    else {
      this.#decoded.push(waiting);
      this.#decodeMore();
      void this.#scoreMore();
    }
  }

  async #scoreMore(): Promise<void> {
    const [oldest] = this.#decoded;
    if (this.#scoring > 0 || oldest === undefined) return;
    const { model } = oldest.job;
    const ready = this.#decoded.filter(({ job }) => job.model === model);
    const batch = ready.slice(0, batchSize(ready.length, this.#limits.batch));
    for (const waiting of batch) remove(this.#decoded, waiting);
    this.#scoring = batch.length;
    this.#busySince = performance.now();
    let results: readonly (Inspected | Error)[];
    try {
      const images = batch.map(({ job, pixels }) => ({
        name: job.name,
        pixels: pixels!,
        keepPixels: job.keepPixels,
      }));
      results = await this.#workers.score(model, images);
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      results = batch.map(() => error);
    }
    this.#scoring = 0;
    this.#busySince = undefined;
    batch.forEach((waiting, i) => void this.#finish(waiting, results[i]!));
    void this.#scoreMore();
  }

  async #finish(
    { job, resolve, reject, decodeMs }: Waiting,
    result: Inspected | Error,
  ): Promise<void> {
    try {
      if (result instanceof Error) throw result;
      job.signal.throwIfAborted();
      const { ms } = result;
      resolve(
        await job.finish({
          ...result,
          ms: { ...ms, decode: decodeMs, total: ms.total + decodeMs },
        }),
      );
    } catch (error) {
      reject(error);
    }
    this.#letGo();
  }
}

/** The largest power of two that is at most the images there are and allowed. */
export function batchSize(images: number, most: number): number {
  return 2 ** Math.floor(Math.log2(Math.min(images, most)));
}

/** Sizes of all batches up to the largest: 1, 2, 4, …. */
export function batchSizes(most: number): number[] {
  const sizes: number[] = [];
  for (let size = 1; size <= most; size *= 2) sizes.push(size);
  return sizes;
}

function remove<T>(items: T[], item: T): boolean {
  const at = items.indexOf(item);
  if (at >= 0) items.splice(at, 1);
  return at >= 0;
}
