import type { AnomalyMap, Pixels } from "../../core/mod.ts";
import { decodingFailed, ThreadError, ThreadPool } from "../thread_pool.ts";
import { HttpProblem } from "./problem.ts";
import type { ImageReply, ImageTask } from "./image_tasks.ts";
import type { ModelInfo } from "./model_info.ts";
import type { UploadedImage } from "./request_images.ts";

/** Threads that decode images and encode maps. */
export class ImagePool implements Disposable {
  readonly #threads: ThreadPool<ImageTask, ImageReply>;

  /**
   * Starts the threads.
   *
   * @param threads How many.
   * @param seconds The longest that one task may take.
   * @param startWorker Starts a thread.
   */
  constructor(
    threads: number,
    seconds: number,
    startWorker: () => Worker = newWorker,
  ) {
    this.#threads = new ThreadPool({ threads, seconds, startWorker });
  }

  /**
   * Checks and decodes an image; its bytes are handed over.
   *
   * @param image The file.
   * @param model The model that it has to go with.
   * @param maxPixels The most pixels it may have, as its header tells.
   * @throws {HttpProblem} 413 or 422 if it cannot be inspected.
   */
  async decode(
    image: UploadedImage,
    model: ModelInfo,
    maxPixels: number,
  ): Promise<Pixels> {
    const task: ImageTask = { kind: "decode", image, model, maxPixels };
    const reply = await this.#run(task, [image.bytes.buffer]);
    if ("pixels" in reply) return reply.pixels;
    throw failure(reply);
  }

  /**
   * Encodes a map as PNG in the geometry of the original image.
   *
   * @param map The map; its threshold gives the scale.
   * @param image What to draw the map over; without it the map is 16-bit grey.
   */
  async encodeMap(
    map: AnomalyMap,
    image?: Pixels,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const task: ImageTask = { kind: "map", map, image };
    const reply = await this.#run(task, []);
    if ("png" in reply) return reply.png;
    throw failure(reply);
  }

  async #run(task: ImageTask, transfer: Transferable[]): Promise<ImageReply> {
    try {
      return await this.#threads.run(task, transfer);
    } catch (error) {
      if (!(error instanceof ThreadError)) throw error;
      throw task.kind === "decode"
        ? new HttpProblem(422, decodingFailed(task.image.name, error).message)
        : new Error(`Cannot encode a map: ${error.message}`);
    }
  }

  /** Ends the threads. */
  [Symbol.dispose](): void {
    this.#threads[Symbol.dispose]();
  }
}

function failure(reply: ImageReply): Error {
  if (!("error" in reply)) return new TypeError("Wrong reply of a thread");
  const { error, status } = reply;
  return status === undefined
    ? new Error(error)
    : new HttpProblem(status, error);
}

function newWorker(): Worker {
  return new Worker(new URL("./image_worker.ts", import.meta.url), {
    type: "module",
    name: "images",
  });
}
