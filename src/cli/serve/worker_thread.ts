/** What a module sees of the thread that started it as a worker. */
interface WorkerThread {
  addEventListener(
    type: "message",
    listener: (event: MessageEvent) => void,
  ): void;
  postMessage(message: unknown, transfer: Transferable[]): void;
}

const thread = globalThis as unknown as WorkerThread;

/** In a worker: calls `handle` with every message of the thread that started it. */
export function onMessage<T>(handle: (message: T) => void): void {
  thread.addEventListener("message", ({ data }) => handle(data as T));
}

/** In a worker: sends a message to the thread that started it. */
export function post(message: unknown, transfer: Transferable[]): void {
  thread.postMessage(message, transfer);
}
