/** Lets pieces of asynchronous work have something one after the other. */
export class Turns {
  #last: Promise<void> | undefined;
  #isClosed = false;

  /**
   * Does some work when all that came before is done.
   *
   * @throws {TypeError} If what it is for was disposed of meanwhile.
   */
  async take<T>(work: () => T | Promise<T>): Promise<T> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    try {
      await before;
      if (this.#isClosed) {
        throw new TypeError("Cannot use a detector that was disposed of");
      }
      return await work();
    } finally {
      if (this.#last === promise) this.#last = undefined;
      resolve();
    }
  }

  /**
   * Ends it: work that waits is refused, and what is under way is the last.
   *
   * @param free Called at once, or when that work is done; not a second time.
   * @returns When it was called.
   */
  async close(free: () => void): Promise<void> {
    if (this.#isClosed) return await this.#last;
    this.#isClosed = true;
    if (this.#last === undefined) return free();
    await (this.#last = this.#last.then(free));
  }
}
