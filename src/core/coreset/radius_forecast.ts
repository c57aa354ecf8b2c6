/** Earlier picks tell nothing of how the radius shrinks later. */
const LEAST_PICKS = 32;

/** The radius may shrink faster by this factor, in the exponent. */
const FASTER = 1.1;

/** And be smaller by this one. */
const SMALLER = 0.98;

/**
 * Foretells a lower bound of the covering radius at the end of a greedy coreset:
 * of rows that fill D dimensions, K picks leave a radius in proportion to
 * K^(−1/D). It may be wrong, and then is to be told so.
 */
export class RadiusForecast {
  readonly #limit: number;
  readonly #known: { count: number; radius: number }[] = [];
  #trust = 1;

  /** @param limit Picks in all. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Tells what is left after some picks.
   *
   * @param count The picks.
   * @param radius The covering radius.
   * @returns What it probably will not come below; 0 when nothing is known.
   */
  add(count: number, radius: number): number {
    const before = this.#known.findLast((known) =>
      known.count >= LEAST_PICKS && known.count <= count / 2
    );
    this.#known.push({ count, radius });
    if (before === undefined) return 0;
    const exponent = Math.log(before.radius / radius) /
      Math.log(count / before.count);
    const shrunk = (count / this.#limit) ** (FASTER * exponent);
    return this.#trust * SMALLER * radius * shrunk;
  }

  /** Tells that the last bound was too large. */
  missed(): void {
    this.#trust /= 2;
  }
}
