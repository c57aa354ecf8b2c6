import { UsageError } from "../exit.ts";
import type {
  EngineOptions,
  EngineReply,
  EngineRequest,
  EngineResult,
  LoadedModel,
  ModelFile,
} from "./engine_messages.ts";
import type { DecodedImage, Inspected } from "./inspection_queue.ts";
import { HttpProblem, unavailable } from "./problem.ts";

/** Losses of the device within {@linkcode LOSS_WINDOW} after which it gives up. */
const MOST_LOSSES = 3;
const LOSS_WINDOW = 10 * 60_000;

/** What is known once the models are loaded. */
type EngineReady = Extract<EngineReply, { kind: "ready" }>;

/** How an engine is run. */
interface EngineHooks {
  /** Starts the GPU's thread. */
  readonly startWorker?: () => Worker;
  /** Called with the reason when the device was lost and is opened again. */
  readonly onLoss?: (reason: string) => void;
  /** Aborted when loading is to be given up. */
  readonly signal?: AbortSignal;
  /** Called once when the engine cannot go on. */
  readonly onFailure?: (error: Error) => void;
}

interface Pending<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The models on the GPU, in a thread of their own. When the device is lost the
 * thread is ended and started again, with everything loaded anew.
 */
export class Engine implements Disposable {
  readonly #options: EngineOptions;
  readonly #hooks: EngineHooks;
  #worker: Worker | undefined;
  #opening: PromiseWithResolvers<EngineReady>;
  #ready: EngineReady | undefined;
  #scoring: Pending<readonly EngineResult[]> | undefined;
  #loading: Pending<LoadedModel> | undefined;
  #unloading: Pending<void> | undefined;
  /** Models that are on the device. */
  readonly #models = new Set<string>();
  #losses: number[] = [];
  #stopped = false;

  private constructor(options: EngineOptions, hooks: EngineHooks) {
    this.#options = options;
    this.#hooks = hooks;
    this.#opening = this.#open();
  }

  /**
   * Loads the models.
   *
   * @throws {Error} If one cannot be loaded, or there is no GPU.
   */
  static async start(
    options: EngineOptions,
    hooks: EngineHooks = {},
  ): Promise<Engine> {
    const { signal } = hooks;
    signal?.throwIfAborted();
    const engine = new Engine(options, hooks);
    const giveUp = (): void => engine.#opening.reject(signal!.reason);
    signal?.addEventListener("abort", giveUp);
    try {
      await engine.#opening.promise;
    } catch (error) {
      engine.#stop();
      throw error;
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
    return engine;
  }

  /** What was loaded; undefined while the device is opened again. */
  get ready(): EngineReady | undefined {
    return this.#ready;
  }

  /**
   * Scores a batch, after the one before it.
   *
   * @throws {HttpProblem} 503 if the device is lost meanwhile.
   */
  async score(
    model: string,
    images: readonly DecodedImage[],
  ): Promise<readonly (Inspected | Error)[]> {
    await this.#opening.promise;
    // What was loaded later is gone with the device that was lost.
    if (!this.#models.has(model)) throw lost();
    const { promise, resolve, reject } = Promise.withResolvers<
      readonly EngineResult[]
    >();
    this.#scoring = { resolve, reject };
    this.#post(
      { kind: "score", model, images },
      images.map(({ pixels }) => pixels.data.buffer as ArrayBuffer),
    );
    const results = await promise;
    return results.map((result) =>
      "error" in result ? new HttpProblem(422, result.error) : result
    );
  }

  /**
   * Loads one more model; one at a time.
   *
   * @param file The model; its name must be another one than those of the others.
   * @throws {Error} If it cannot be used, or the device is lost meanwhile.
   */
  async load(file: ModelFile): Promise<LoadedModel> {
    await this.#opening.promise;
    const { promise, resolve, reject } = Promise.withResolvers<LoadedModel>();
    this.#loading = { resolve, reject };
    this.#post({ kind: "load", file }, []);
    const loaded = await promise;
    this.#models.add(file.name);
    return loaded;
  }

  /** Frees a model after the batches that were sent; one at a time. */
  async unload(model: string): Promise<void> {
    if (!this.#models.delete(model)) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#unloading = { resolve, reject };
    this.#post({ kind: "unload", model }, []);
    // A device that is lost has no models.
    await promise.catch(() => {});
  }

  #open(): PromiseWithResolvers<EngineReady> {
    const opening = Promise.withResolvers<EngineReady>();
    opening.promise.catch(() => {});
    const { startWorker = newWorker } = this.#hooks;
    const worker = this.#worker = startWorker();
    worker.onmessage = ({ data }: MessageEvent<EngineReply>): void => {
      if (worker === this.#worker) this.#receive(data);
    };
    worker.onerror = (event): void => {
      event.preventDefault();
      if (worker === this.#worker) this.#lose(event.message);
    };
    this.#post({ kind: "open", options: this.#options }, []);
    return opening;
  }

  #post(request: EngineRequest, transfer: Transferable[]): void {
    this.#worker!.postMessage(request, transfer);
  }

  #receive(reply: EngineReply): void {
    switch (reply.kind) {
      case "ready":
        this.#ready = reply;
        for (const { name } of reply.models) this.#models.add(name);
        return this.#opening.resolve(reply);
      case "loaded":
        return this.#loading?.resolve(reply.model);
      case "refused":
        return this.#loading?.reject(new Error(reply.error));
      case "unloaded":
        return this.#unloading?.resolve();
      case "scored":
        return this.#settle()?.resolve(reply.results);
      case "failed": {
        const error = reply.usage
          ? new UsageError(reply.error)
          : new Error(reply.error);
        const scoring = this.#settle();
        if (scoring !== undefined) return scoring.reject(error);
        return this.#fail(error);
      }
      case "lost":
        return this.#lose(reply.error);
    }
  }

  #settle(): Pending<readonly EngineResult[]> | undefined {
    const scoring = this.#scoring;
    this.#scoring = undefined;
    return scoring;
  }

  #lose(reason: string): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#settle()?.reject(lost());
    this.#loading?.reject(lost());
    this.#unloading?.reject(lost());
    this.#models.clear();
    if (this.#ready === undefined) return this.#fail(new Error(reason));
    this.#ready = undefined;
    const now = performance.now();
    this.#losses = this.#losses.filter((at) => now - at < LOSS_WINDOW);
    this.#losses.push(now);
    if (this.#losses.length > MOST_LOSSES) {
      this.#opening = Promise.withResolvers();
      return this.#fail(
        new Error(
          `${reason}; it was opened again ${MOST_LOSSES} times in ten minutes, so the service stops`,
        ),
      );
    }
    this.#hooks.onLoss?.(reason);
    this.#opening = this.#open();
  }

  #fail(error: Error): void {
    this.#opening.promise.catch(() => {});
    this.#opening.reject(error);
    if (!this.#stopped) this.#hooks.onFailure?.(error);
    this.#stop();
  }

  #stop(): void {
    this.#stopped = true;
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  /**
   * Leaves the GPU's thread to the end of the process, which is at hand: ended now,
   * it would take the driver down while the process does, and crash it.
   */
  leave(): void {
    this.#stopped = true;
    this.#worker = undefined;
  }

  /** Ends the GPU's thread. */
  [Symbol.dispose](): void {
    this.#stop();
  }
}

function lost(): HttpProblem {
  return unavailable(
    "The GPU was lost while it worked on the image; send it again",
  );
}

function newWorker(): Worker {
  return new Worker(new URL("./engine_worker.ts", import.meta.url), {
    type: "module",
    name: "gpu",
  });
}
