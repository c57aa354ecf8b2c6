import { HttpProblem } from "./problem.ts";

/** How a request's body is read. */
export interface BodyOptions {
  /** The most bytes it may have. */
  readonly maxBytes: number;
  /** Aborted when it took too long. */
  readonly signal: AbortSignal;
}

/**
 * Reads a request's body, never more than is allowed.
 *
 * @throws {HttpProblem} 413 if it is too large, 408 if it came too slowly, 400
 * if it broke off.
 */
export async function readBody(
  request: Request,
  { maxBytes, signal }: BodyOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(request.headers.get("content-length") ?? NaN);
  if (announced > maxBytes) throw tooLarge(announced, maxBytes);
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  const cancel = (): void => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", cancel);
  try {
    const whole = Number.isNaN(announced)
      ? await readChunks(reader, maxBytes)
      : await readAnnounced(reader, announced);
    if (signal.aborted) throw slow(signal.reason);
    return whole;
  } catch (error) {
    if (error instanceof HttpProblem) {
      cancel();
      throw error;
    }
    if (signal.aborted) throw slow(signal.reason);
    throw new HttpProblem(
      400,
      "The body broke off before its end; send it again",
    );
  } finally {
    signal.removeEventListener("abort", cancel);
    reader.releaseLock();
  }
}

type Reader = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

/** Reads a body of known length into one array. */
async function readAnnounced(
  reader: Reader,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (at + value.length > length) throw tooLarge(at + value.length, length);
    whole.set(value, at);
    at += value.length;
  }
  return at === length ? whole : whole.slice(0, at);
}

async function readChunks(
  reader: Reader,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > maxBytes) throw tooLarge(undefined, maxBytes);
    chunks.push(value);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function tooLarge(bytes: number | undefined, most: number): HttpProblem {
  return new HttpProblem(
    413,
    `The body has ${
      bytes === undefined ? "more bytes" : `${bytes} bytes`
    }, at most ${most} are allowed; send fewer or smaller images`,
  );
}

function slow(reason: unknown): unknown {
  return reason instanceof HttpProblem && reason.status === 503
    ? new HttpProblem(408, "The body did not arrive in time; send it again")
    : reason;
}
