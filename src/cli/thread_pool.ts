import { ImageError } from "../core/images/image_error.ts";

/** A task whose thread broke or took too long. */
export class ThreadError extends Error {
  /** Always `"ThreadError"`. */
  override name = "ThreadError";
}

/** What is told of an image whose thread broke or took too long. */
export function decodingFailed(image: string, error: ThreadError): ImageError {
  const problem = `decoding failed (${error.message})`;
  return new ImageError(image, problem, "convert it to PNG");
}

interface Pending<Task, Reply> {
  readonly task: Task;
  readonly transfer: Transferable[];
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

interface Thread<Task, Reply> {
  readonly worker: Worker;
  /** What it was sent, in order; it works on the first. */
  readonly tasks: Pending<Task, Reply>[];
  timer?: ReturnType<typeof setTimeout>;
}

interface ThreadPoolOptions {
  /** How many threads there are. */
  readonly threads: number;
  /** Starts a thread, which answers every message with one, in their order. */
  readonly startWorker: () => Worker;
  /**
   * Tasks that a thread is sent at once, 1 by default: with more it need not
   * wait until the thread that sends them has time.
   */
  readonly depth?: number;
  /** The longest that one task may take in seconds; by default any time. */
  readonly seconds?: number;
}

/**
 * Threads that do tasks, begun in the order they come. One that is stuck or
 * broken is ended and replaced.
 */
export class ThreadPool<Task, Reply> implements Disposable {
  readonly #options: ThreadPoolOptions;
  readonly #threads = new Set<Thread<Task, Reply>>();
  readonly #waiting: Pending<Task, Reply>[] = [];

  /** Starts the threads. */
  constructor(options: ThreadPoolOptions) {
    this.#options = options;
    for (let i = 0; i < options.threads; i++) this.#start();
  }

  /**
   * Has a thread do a task.
   *
   * @param task What the thread is sent.
   * @param transfer What of it is handed over.
   * @throws {ThreadError} If the thread broke or took too long.
   */
  run(task: Task, transfer: Transferable[] = []): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    this.#waiting.push({ task, transfer, resolve, reject });
    this.#send();
    return promise;
  }

  /** Sends what waits to the threads that have least to do. */
  #send(): void {
    const { depth = 1 } = this.#options;
    while (this.#waiting.length > 0) {
      let least: Thread<Task, Reply> | undefined;
      for (const thread of this.#threads) {
        const { length } = thread.tasks;
        if (length < (least?.tasks.length ?? depth)) least = thread;
      }
      if (least === undefined) return;
      const pending = this.#waiting.shift()!;
      least.tasks.push(pending);
      if (least.tasks.length === 1) this.#watch(least);
      least.worker.postMessage(pending.task, pending.transfer);
    }
  }

  /** Limits the time of the task that a thread works on. */
  #watch(thread: Thread<Task, Reply>): void {
    clearTimeout(thread.timer);
    const { seconds } = this.#options;
    if (seconds === undefined || thread.tasks.length === 0) return;
    thread.timer = setTimeout(
      () => this.#replace(thread, `it takes more than ${seconds} s`),
      seconds * 1000,
    );
  }

  #start(): void {
    const worker = this.#options.startWorker();
    const thread: Thread<Task, Reply> = { worker, tasks: [] };
    worker.onmessage = ({ data }: MessageEvent<Reply>): void => {
      thread.tasks.shift()?.resolve(data);
      this.#watch(thread);
      this.#send();
    };
    worker.onerror = (event): void => {
      event.preventDefault();
      this.#replace(thread, event.message);
    };
    this.#threads.add(thread);
    this.#send();
  }

  /** Ends a thread whose task failed in a way that may have broken it. */
  #replace(thread: Thread<Task, Reply>, reason: string): void {
    clearTimeout(thread.timer);
    thread.worker.terminate();
    this.#threads.delete(thread);
    const [failed, ...others] = thread.tasks.splice(0);
    // A thread that breaks without a task would only break again.
    if (failed === undefined) return;
    failed.reject(new ThreadError(reason));
    this.#waiting.unshift(...others);
    this.#start();
  }

  /** Ends the threads; tasks that are not done fail. */
  [Symbol.dispose](): void {
    const stopped = new ThreadError("the threads were ended");
    for (const { worker, tasks, timer } of this.#threads) {
      clearTimeout(timer);
      worker.terminate();
      for (const { reject } of tasks) reject(stopped);
    }
    this.#threads.clear();
    for (const { reject } of this.#waiting.splice(0)) reject(stopped);
  }
}
