import type { AnomalyMap, Pixels } from "../../core/mod.ts";
import { HttpProblem } from "./problem.ts";
import type { ImageReply, ImageTask } from "./image_tasks.ts";
import type { ModelInfo } from "./model_info.ts";
import type { UploadedImage } from "./request_images.ts";

interface Pending {
  readonly task: ImageTask;
  readonly transfer: Transferable[];
  readonly resolve: (reply: ImageReply) => void;
  readonly reject: (error: Error) => void;
}

interface Running extends Pending {
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * Threads that decode images and encode maps. One that is stuck or broken is
 * ended and replaced.
 */
export class ImagePool implements Disposable {
  readonly #seconds: number;
  readonly #startWorker: () => Worker;
  readonly #idle: Worker[] = [];
  readonly #running = new Map<Worker, Running>();
  readonly #waiting: Pending[] = [];

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
    this.#seconds = seconds;
    this.#startWorker = startWorker;
    for (let i = 0; i < threads; i++) this.#start();
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

  #run(task: ImageTask, transfer: Transferable[]): Promise<ImageReply> {
    const { promise, resolve, reject } = Promise.withResolvers<ImageReply>();
    this.#waiting.push({ task, transfer, resolve, reject });
    this.#next();
    return promise;
  }

  #next(): void {
    while (this.#idle.length > 0 && this.#waiting.length > 0) {
      const worker = this.#idle.pop()!;
      const pending = this.#waiting.shift()!;
      const timer = setTimeout(
        () => this.#replace(worker, `it takes more than ${this.#seconds} s`),
        this.#seconds * 1000,
      );
      this.#running.set(worker, { ...pending, timer });
      worker.postMessage(pending.task, pending.transfer);
    }
  }

  #start(): void {
    const worker = this.#startWorker();
    worker.onmessage = ({ data }: MessageEvent<ImageReply>): void => {
      this.#settle(worker)?.resolve(data);
      this.#idle.push(worker);
      this.#next();
    };
    worker.onerror = (event): void => {
      event.preventDefault();
      this.#replace(worker, event.message);
    };
    this.#idle.push(worker);
    this.#next();
  }

  #settle(worker: Worker): Pending | undefined {
    const running = this.#running.get(worker);
    this.#running.delete(worker);
    clearTimeout(running?.timer);
    return running;
  }

  /** Ends a thread whose task failed in a way that may have broken it. */
  #replace(worker: Worker, reason: string): void {
    worker.terminate();
    const running = this.#settle(worker);
    if (running === undefined) {
      const at = this.#idle.indexOf(worker);
      if (at >= 0) this.#idle.splice(at, 1);
      return;
    }
    const { task } = running;
    running.reject(
      task.kind === "decode"
        ? new HttpProblem(
          422,
          `Cannot read image "${task.image.name}": decoding failed (${reason}); convert it to PNG`,
        )
        : new Error(`Cannot encode a map: ${reason}`),
    );
    this.#start();
  }

  /** Ends the threads. */
  [Symbol.dispose](): void {
    for (const worker of [...this.#idle, ...this.#running.keys()]) {
      this.#settle(worker)?.reject(new Error("The service has stopped"));
      worker.terminate();
    }
    this.#idle.length = 0;
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
