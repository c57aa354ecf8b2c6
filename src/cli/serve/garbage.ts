import v8 from "node:v8";
import vm from "node:vm";

/**
 * Has garbage collected every so often. By itself V8 waits until garbage has
 * grown to a multiple of what lives, and keeps the memory: a service's requests
 * then cost more memory for tens of thousands of requests.
 */
export class Garbage {
  readonly #collect: () => void;
  readonly #every: number;
  #count = 0;

  /**
   * @param every Requests after which garbage is collected.
   * @param collect Collects it, which takes some 20 ms; by default V8 does.
   */
  constructor(every: number, collect: () => void = collector()) {
    this.#every = every;
    this.#collect = collect;
  }

  /** Counts a request that was answered; collects when its time has come. */
  add(): void {
    if (++this.#count < this.#every) return;
    this.#count = 0;
    this.#collect();
  }
}

/** V8's own function, which only contexts made after this have. */
function collector(): () => void {
  v8.setFlagsFromString("--expose-gc");
  const collect: unknown = vm.runInNewContext("globalThis.gc");
  return typeof collect === "function" ? () => collect() : () => {};
}
