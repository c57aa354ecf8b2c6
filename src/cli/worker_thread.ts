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

/** The bytes in a buffer of their own, which can go to another thread. */
export function owned(
  data: Uint8Array | Uint8ClampedArray,
): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = data;
  const whole = buffer instanceof ArrayBuffer &&
    buffer.byteLength === byteLength;
  return whole
    ? new Uint8Array(buffer, byteOffset, byteLength)
    : Uint8Array.from(data);
}
