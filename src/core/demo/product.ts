import type { Mt19937 } from "../settings/random.ts";
import type { Canvas } from "./canvas.ts";

/** Pixels of each side of the images. */
export const IMAGE_SIZE = 256;

/** A defect to be drawn. */
export interface Defect {
  /** One of the product's kinds of defect. */
  readonly kind: string;
  /** Where its place, size and shape are drawn from. */
  readonly random: Mt19937;
}

/** A kind of part that pictures can be made of. */
export interface Product {
  /** Name of the category. */
  readonly name: string;
  /** What it is, as a phrase. */
  readonly about: string;
  /** Its kinds of defect. */
  readonly defects: readonly string[];
  /**
   * Draws a part. With and without a defect the same numbers are drawn from
   * `random`, so that the two differ by the defect alone.
   */
  draw(random: Mt19937, defect?: Defect): Canvas;
}

/** A number evenly drawn from −`most` to `most`. */
export function jitter(random: Mt19937, most: number): number {
  return (2 * random.float64() - 1) * most;
}

/** A number evenly drawn between two. */
export function between(random: Mt19937, low: number, high: number): number {
  return low + (high - low) * random.float64();
}
