/**
 * Large photographs of many parts, made of small ones, and defects whose place
 * and size are known: what tiles have to find.
 *
 * @module
 */
import type { Pixels } from "../src/core/mod.ts";
import { Mt19937 } from "../src/core/settings/random.ts";

/** A red square on a picture. */
export interface PlacedDefect {
  /** Its left edge. */
  readonly x: number;
  /** Its top edge. */
  readonly y: number;
  /** Its sides in pixels. */
  readonly side: number;
}

/** Sides of cells of a montage: parts lie like on a tray. */
const CELL = 1000;

/**
 * A tray of parts: cells with pictures drawn at random, shifted by some pixels,
 * turned over, and of slightly other brightness.
 *
 * @param parts Pictures, each at least a cell wide and high.
 * @param size Width and height in pixels.
 * @param seed What decides the draw.
 */
export function montage(
  parts: readonly Pixels[],
  [width, height]: readonly [number, number],
  seed: number,
): Pixels {
  const data = new Uint8Array(width * height * 4).fill(255);
  const random = new Mt19937(seed);
  for (let top = 0; top < height; top += CELL) {
    for (let left = 0; left < width; left += CELL) {
      const part = parts[random.below(parts.length)]!;
      const x = random.below(part.width - CELL + 1);
      const y = random.below(part.height - CELL + 1);
      const isTurned = random.below(2) === 1;
      const shift = random.below(9) - 4;
      for (let j = 0; j < Math.min(CELL, height - top); j++) {
        for (let i = 0; i < Math.min(CELL, width - left); i++) {
          const column = x + (isTurned ? CELL - 1 - i : i);
          const from = ((y + j) * part.width + column) * 4;
          const to = ((top + j) * width + left + i) * 4;
          for (let c = 0; c < 3; c++) {
            data[to + c] = Math.min(
              255,
              Math.max(0, part.data[from + c]! + shift),
            );
          }
        }
      }
    }
  }
  return { width, height, data };
}

/** Defects of 12, 24, 40 and 80 pixels in the corners, and of 24 in the middle. */
export function defectsOf(
  { width, height }: Pick<Pixels, "width" | "height">,
  sides: readonly [number, number, number, number] = [12, 24, 40, 80],
): PlacedDefect[] {
  const [a, b, c, d] = sides;
  const edge = Math.ceil(a / 2);
  return [
    { x: edge, y: edge, side: a },
    { x: width - edge - b, y: edge, side: b },
    { x: edge, y: height - edge - c, side: c },
    { x: width - edge - d, y: height - edge - d, side: d },
    { x: (width - b) >> 1, y: (height - b) >> 1, side: b },
  ];
}

/** A copy of a picture with defects. */
export function withDefects(
  { width, height, data }: Pixels,
  defects: readonly PlacedDefect[],
): Pixels {
  const copy = new Uint8Array(data);
  for (const { x, y, side } of defects) {
    for (let row = y; row < y + side; row++) {
      for (let column = x; column < x + side; column++) {
        copy.set([200, 30, 30], (row * width + column) * 4);
      }
    }
  }
  return { width, height, data: copy };
}

/** The largest value of a map over a defect and so many pixels around it. */
export function highestNear(
  { width, height, data }: {
    readonly width: number;
    readonly height: number;
    readonly data: Float32Array;
  },
  { x, y, side }: PlacedDefect,
  around = 16,
): number {
  let highest = -Infinity;
  for (
    let row = Math.max(0, y - around);
    row < Math.min(height, y + side + around);
    row++
  ) {
    for (
      let column = Math.max(0, x - around);
      column < Math.min(width, x + side + around);
      column++
    ) highest = Math.max(highest, data[row * width + column]!);
  }
  return highest;
}
