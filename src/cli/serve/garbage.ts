import v8 from "node:v8";
import vm from "node:vm";

/** Tasks from one collection to the next; it takes some 10 ms. */
const EVERY = 200;

/**
 * Has a thread's garbage collected every so many tasks. By itself V8 waits until
 * garbage has grown to a multiple of what lives, images outside its heap not
 * counted in full, and keeps the memory: a service's memory then grows for tens
 * of thousands of requests.
 */
export class Garbage {
  readonly #collect: () => void;
  readonly #every: number;
  #count = 0;

  /**
   * @param every Tasks from one collection to the next.
   * @param collect Collects garbage; by default V8 does.
   */
  constructor(every = EVERY, collect: () => void = collector()) {
    this.#every = every;
    this.#collect = collect;
  }

  /** Counts a task that was done; collects when its time has come. */
  add(): void {
    if (++this.#count >= this.#every) this.collect();
  }

  /** Collects now: something large was let go of. */
  collect(): void {
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
