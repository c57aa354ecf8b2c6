import type { ServiceLimits } from "./limits.ts";
import { HttpProblem, tooBusy } from "./problem.ts";

/** Milliseconds after which a body counts as slow, should others want in. */
const PATIENCE = 250;

/** Bodies of known length up to this are read into one piece. */
const ONE_PIECE = 2 ** 20;

/** A body that has arrived; its bytes count until it is disposed. */
export interface ArrivedBody extends Disposable {
  /** The whole body, in a buffer of its own. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A body on its way. */
interface Arriving {
  readonly start: number;
  last: number;
  bytes: number;
  /** Ends it with the error to answer with. */
  readonly stop: (reason: unknown) => void;
}

/**
 * Reads requests' bodies, many at a time but never more than is allowed. Who
 * sends too slowly is refused, and makes room as soon as somebody else needs it:
 * nobody is kept out by bodies that do not arrive.
 */
export class Uploads {
  readonly #limits: ServiceLimits;
  readonly #arriving = new Set<Arriving>();
  #bytes = 0;

  /** Nothing arrives yet. */
  constructor(limits: ServiceLimits) {
    this.#limits = limits;
  }

  /** Bodies on their way. */
  get bodies(): number {
    return this.#arriving.size;
  }

  /** Bytes of all bodies, on their way or arrived. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Reads a request's body.
   *
   * @param signal Aborted with the error to fail with.
   * @throws {HttpProblem} 413 if it is too large, 408 if it comes too slowly,
   * 400 if it breaks off, 429 if there is no room.
   */
  async read(request: Request, signal: AbortSignal): Promise<ArrivedBody> {
    const { maxBytes } = this.#limits;
    const announced = Number(request.headers.get("content-length") ?? NaN);
    if (announced > maxBytes) throw tooLarge(announced, maxBytes);
    if (request.body === null) return this.#arrived(new Uint8Array());
    if (this.#arriving.size >= this.#limits.bodies) this.#stopSlowest();
    const reader = request.body.getReader();
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => {});
    const now = performance.now();
    const stop = (reason: unknown): void => failed.reject(reason);
    const arriving: Arriving = { start: now, last: now, bytes: 0, stop };
    const onAbort = (): void => stop(slow(signal.reason));
    signal.addEventListener("abort", onAbort);
    this.#arriving.add(arriving);
    const watch = this.#watch(arriving);
    try {
      if (signal.aborted) onAbort();
      const bytes = await this.#pieces(reader, arriving, {
        length: announced,
        failed: failed.promise,
      });
      return this.#arrived(bytes);
    } catch (error) {
      this.#bytes -= arriving.bytes;
      reader.cancel(error).catch(() => {});
      throw error instanceof HttpProblem ? error : new HttpProblem(
        400,
        "The body broke off before its end; send it again",
      );
    } finally {
      watch[Symbol.dispose]();
      this.#arriving.delete(arriving);
      signal.removeEventListener("abort", onAbort);
    }
  }

  #arrived(bytes: Uint8Array<ArrayBuffer>): ArrivedBody {
    let held = bytes.length;
    return {
      bytes,
      [Symbol.dispose]: (): void => {
        this.#bytes -= held;
        held = 0;
      },
    };
  }

  async #pieces(
    reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
    arriving: Arriving,
    { length, failed }: { length: number; failed: Promise<never> },
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { maxBytes } = this.#limits;
    const most = Number.isNaN(length) ? maxBytes : length;
    const whole = length <= ONE_PIECE ? new Uint8Array(length) : undefined;
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), failed]);
      if (done) break;
      const at = arriving.bytes;
      if (at + value.length > most) {
        throw tooLarge(most === maxBytes ? undefined : at + value.length, most);
      }
      this.#count(arriving, value.length);
      if (whole === undefined) pieces.push(value);
      else whole.set(value, at);
    }
    return whole === undefined
      ? joined(pieces, arriving.bytes)
      : arriving.bytes === length
      ? whole
      : whole.slice(0, arriving.bytes);
  }

  #count(arriving: Arriving, more: number): void {
    if (this.#bytes + more > this.#limits.bodyBytes) {
      this.#stopSlowest(arriving);
    }
    arriving.last = performance.now();
    arriving.bytes += more;
    this.#bytes += more;
  }

  /**
   * Ends the body that comes slowest, to make room.
   *
   * @param except One that is not to be ended.
   * @throws {HttpProblem} 429 if all come as fast as they should.
   */
  #stopSlowest(except?: Arriving): void {
    const now = performance.now();
    let slowest: Arriving | undefined;
    let least = this.#limits.pace;
    for (const arriving of this.#arriving) {
      if (arriving === except || now - arriving.start < PATIENCE) continue;
      const pace = paceOf(arriving, now);
      if (pace < least) [slowest, least] = [arriving, pace];
    }
    if (slowest === undefined) {
      throw tooBusy(
        `The service is full: ${this.#arriving.size} bodies are arriving; send again in a moment`,
      );
    }
    slowest.stop(tooSlow("while others had to wait"));
    this.#arriving.delete(slowest);
    this.#bytes -= slowest.bytes;
    slowest.bytes = 0;
  }

  /** Ends a body that falls silent or comes too slowly. */
  #watch(arriving: Arriving): Disposable {
    const { idle, pace } = this.#limits;
    const look = (): void => {
      const now = performance.now();
      if (now - arriving.last >= idle * 1000) {
        arriving.stop(tooSlow(`nothing came for ${idle} s`));
      } else if (
        now - arriving.start >= idle * 1000 && paceOf(arriving, now) < pace
      ) {
        arriving.stop(tooSlow(`less than ${pace} bytes came a second`));
      } else timer = setTimeout(look, idle * 1000 - (now - arriving.last));
    };
    let timer = setTimeout(look, idle * 1000);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  }
}

/** Bytes a second since it began. */
function paceOf({ start, bytes }: Arriving, now: number): number {
  return bytes / Math.max(1e-3, (now - start) / 1000);
}

function joined(
  pieces: readonly Uint8Array<ArrayBuffer>[],
  length: number,
): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
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

function tooSlow(why: string): HttpProblem {
  return new HttpProblem(
    408,
    `The body did not arrive in time, ${why}; send it again`,
    { headers: { connection: "close" } },
  );
}

function slow(reason: unknown): unknown {
  return reason instanceof HttpProblem && reason.status === 503
    ? new HttpProblem(408, "The body did not arrive in time; send it again")
    : reason;
}
