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

/** Walls around each cell, in pixels. */
const WALL = 8;

/**
 * A tray of parts: cells with walls, each picture in about as many of them as any
 * other, in an order drawn at random, shifted by some pixels and of slightly
 * other brightness.
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
  let left: Pixels[] = [];
  for (let top = 0; top < height; top += CELL) {
    for (let start = 0; start < width; start += CELL) {
      if (left.length === 0) left = [...parts];
      const [part] = left.splice(random.below(left.length), 1) as [Pixels];
      const x = random.below(part.width - CELL + 1);
      const y = random.below(part.height - CELL + 1);
      const shift = random.below(9) - 4;
      for (let j = 0; j < Math.min(CELL, height - top); j++) {
        for (let i = 0; i < Math.min(CELL, width - start); i++) {
          const from = ((y + j) * part.width + x + i) * 4;
          const to = ((top + j) * width + start + i) * 4;
          const isWall = Math.min(i, j) < WALL ||
            Math.max(i, j) >= CELL - WALL;
          for (let c = 0; c < 3; c++) {
            data[to + c] = isWall
              ? 60
              : Math.min(255, Math.max(0, part.data[from + c]! + shift));
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

/** Specks on a drawn surface. */
const SPECKS = 60;

/**
 * A drawn surface that is square: soft stripes, grain and dark specks of a seed,
 * for surfaces vary.
 */
export function drawnPart(seed: number, side: number): Pixels {
  const random = new Mt19937(seed);
  const levels = new Float64Array(side * side);
  for (let i = 0; i < side * side; i++) {
    levels[i] = 110 + 30 * Math.sin(i % side / 11) +
      20 * Math.sin(Math.floor(i / side) / 17) + random.below(32);
  }
  for (let speck = 0; speck < SPECKS; speck++) {
    const [left, top] = [random.below(side), random.below(side)];
    const radius = 2 + random.below(5);
    const depth = 10 + random.below(40);
    for (let y = Math.max(0, top - radius); y <= top + radius; y++) {
      for (let x = Math.max(0, left - radius); x <= left + radius; x++) {
        const isInside = Math.hypot(x - left, y - top) <= radius;
        if (isInside && x < side && y < side) levels[y * side + x]! -= depth;
      }
    }
  }
  const data = new Uint8Array(side * side * 4).fill(255);
  levels.forEach((level, i) => data.fill(Math.max(0, level), i * 4, i * 4 + 3));
  return { width: side, height: side, data };
}

/** A map of the size of its picture. */
type PictureMap = Omit<Pixels, "data"> & { readonly data: Float32Array };

/** The largest value of a map over a defect and so many pixels around it. */
export function highestNear(
  map: PictureMap,
  defect: PlacedDefect,
  around = 16,
): number {
  return map.data[highestAt(map, defect, around)]!;
}

function highestAt(
  { width, height, data }: PictureMap,
  { x, y, side }: PlacedDefect,
  around: number,
): number {
  let highest = y * width + x;
  for (
    let row = Math.max(0, y - around);
    row < Math.min(height, y + side + around);
    row++
  ) {
    for (
      let column = Math.max(0, x - around);
      column < Math.min(width, x + side + around);
      column++
    ) {
      const at = row * width + column;
      if (data[at]! > data[highest]!) highest = at;
    }
  }
  return highest;
}

/** Edges of a box in pixels: the first column and row, and those behind the last. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * The box of the connected pixels at the threshold or above that hold the
 * largest value of a map near a defect.
 *
 * @returns `undefined` where that value is below the threshold.
 */
export function boxOf(
  map: PictureMap,
  defect: PlacedDefect,
  threshold: number,
  around = 16,
): Box | undefined {
  const { width, height, data } = map;
  const start = highestAt(map, defect, around);
  if (!(data[start]! >= threshold)) return undefined;
  const seen = new Set([start]);
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (const at of seen) {
    const [x, y] = [at % width, Math.floor(at / width)];
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + 1);
    bottom = Math.max(bottom, y + 1);
    for (let row = Math.max(0, y - 1); row <= y + 1 && row < height; row++) {
      for (let column = Math.max(0, x - 1); column <= x + 1; column++) {
        const next = row * width + column;
        if (column < width && data[next]! >= threshold) seen.add(next);
      }
    }
  }
  return { left, top, right, bottom };
}

/** Pixels that the edge of a box furthest off is from that of a defect. */
export function edgesOff(box: Box, { x, y, side }: PlacedDefect): number {
  return Math.max(
    ...[box.left - x, box.top - y].map(Math.abs),
    ...[box.right - x - side, box.bottom - y - side].map(Math.abs),
  );
}
