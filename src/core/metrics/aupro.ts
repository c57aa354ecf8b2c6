/**
 * Integrates the per-region overlap curve (Bergmann et al., MVTec AD) while
 * groups of equal scores come by in descending order.
 *
 * At a threshold, the overlap is the mean over all ground-truth components of
 * the share of the component at or above it, and the false-positive rate is
 * the share of all anomaly-free pixels at or above it. The area is the
 * trapezoid sum from (0, 0) to exactly the limit of the false-positive rate,
 * where the overlap is interpolated linearly, divided by the limit.
 */
export class ProArea {
  readonly #end: number;
  #negatives = 0;
  #overlap = 0;
  #carry = 0;
  #area = 0;
  readonly #components: number;

  /**
   * Starts at the point (0, 0) of the curve.
   *
   * @param limit The largest false-positive rate, above 0 and at most 1.
   * @param negatives How many anomaly-free pixels there are in all.
   * @param components How many components there are in all.
   * @throws {RangeError} If the limit is out of range.
   */
  constructor(limit: number, negatives: number, components: number) {
    if (!(limit > 0 && limit <= 1)) {
      throw new RangeError(
        `Cannot integrate the per-region overlap: limit must be above 0 and at most 1: current value is ${limit}`,
      );
    }
    this.#end = limit * negatives;
    this.#components = components;
  }

  /**
   * Adds all pixels of the next lower score.
   *
   * @param overlap Σ 1/|C| over the anomalous ones, |C| the size of the pixel's component.
   * @param negatives How many are anomaly-free.
   */
  add(overlap: number, negatives: number): void {
    const before = this.#overlap;
    this.#addOverlap(overlap);
    const room = this.#end - this.#negatives;
    this.#negatives += negatives;
    if (negatives === 0 || room <= 0) return;
    if (negatives <= room) {
      this.#area += negatives * (before + this.#overlap) / 2;
      return;
    }
    const atEnd = before + (this.#overlap - before) * (room / negatives);
    this.#area += room * (before + atEnd) / 2;
  }

  /** The area from 0 to 1; NaN without components or anomaly-free pixels. */
  get value(): number {
    return this.#area / (this.#end * this.#components);
  }

  /** Compensated, because millions of small shares are summed. */
  #addOverlap(share: number): void {
    const corrected = share - this.#carry;
    const sum = this.#overlap + corrected;
    this.#carry = sum - this.#overlap - corrected;
    this.#overlap = sum;
  }
}
