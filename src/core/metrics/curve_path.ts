/** A point of a curve. */
export type CurvePoint = readonly [x: number, y: number];

/** Parts of a side that a step of a drawn curve is at least, about a pixel. */
const STEPS = 256;

/**
 * Thins out a rising curve while its points come by: what is kept looks the same
 * as the whole, at most some hundred points.
 */
export class CurvePath {
  readonly #end: number;
  readonly #points: CurvePoint[] = [[0, 0]];
  #last: CurvePoint = [0, 0];

  /**
   * Starts at (0, 0).
   *
   * @param end Where the horizontal axis ends; points beyond it are left out.
   */
  constructor(end: number) {
    this.#end = end;
  }

  /** Adds the next point, to the right of and above the one before. */
  add(x: number, y: number): void {
    const [beforeX, beforeY] = this.#last;
    if (x > this.#end) {
      if (beforeX >= this.#end) return;
      const share = (this.#end - beforeX) / (x - beforeX);
      this.#last = [this.#end, beforeY + share * (y - beforeY)];
      this.#points.push(this.#last);
      return;
    }
    this.#last = [x, y];
    const [keptX, keptY] = this.#points.at(-1)!;
    const far = (x - keptX) / this.#end >= 1 / STEPS ||
      y - keptY >= 1 / STEPS;
    if (far) this.#points.push([x, y]);
  }

  /** The points, the last one that was added among them. */
  get points(): readonly CurvePoint[] {
    const kept = this.#points.at(-1)!;
    const [x, y] = this.#last;
    return x > kept[0] || y > kept[1] && x === kept[0]
      ? [...this.#points, [x, y]]
      : this.#points;
  }
}
