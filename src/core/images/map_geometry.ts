import type { FloatImage } from "./pixels.ts";
import type { CropGeometry } from "./resize_plan.ts";

/** A part of an image: columns from left to right, rows from top to bottom. */
export interface MapWindow {
  /** First column. */
  readonly left: number;
  /** First row. */
  readonly top: number;
  /** Column after the last. */
  readonly right: number;
  /** Row after the last. */
  readonly bottom: number;
}

/**
 * Draws a map of a network's input into the geometry of the original image:
 * bilinear between the map's pixel centres, NaN where a pixel's centre lies
 * outside the crop, or nearest to a pixel of the map that is NaN. Beside such
 * ones the others are blended.
 *
 * @param map `[h, w]`, what the network saw.
 * @param geometry Where that lies in the original image.
 * @param window The part of the original image that is drawn; by default all.
 * @returns `[height, width]` of the original image, or of its part.
 */
export function mapToOriginal(
  map: FloatImage,
  geometry: CropGeometry,
  window: MapWindow = {
    left: 0,
    top: 0,
    right: geometry.width,
    bottom: geometry.height,
  },
): FloatImage {
  const { left, right, top, bottom } = geometry;
  const columns = sample([window.left, window.right], [left, right], map.width);
  const rows = sample([window.top, window.bottom], [top, bottom], map.height);
  const width = window.right - window.left;
  const height = window.bottom - window.top;
  const data = new Float32Array(width * height).fill(NaN);
  const source = map.data;
  for (let y = rows.start; y < rows.end; y++) {
    const upper = rows.first[y]! * map.width;
    const lower = rows.second[y]! * map.width;
    const down = rows.fraction[y]!;
    for (let x = columns.start; x < columns.end; x++) {
      const a = columns.first[x]!;
      const b = columns.second[x]!;
      const along = columns.fraction[x]!;
      const above = mix(source[upper + a]!, source[upper + b]!, along);
      const below = mix(source[lower + a]!, source[lower + b]!, along);
      const value = mix(above, below, down);
      data[y * width + x] = Number.isNaN(value)
        ? mixKnown([
          [source[upper + a]!, (1 - along) * (1 - down)],
          [source[upper + b]!, along * (1 - down)],
          [source[lower + a]!, (1 - along) * down],
          [source[lower + b]!, along * down],
        ])
        : value;
    }
  }
  return { width, height, data };
}

/** For each original pixel of an axis: two map pixels and the way between. */
interface Sampling {
  readonly start: number;
  readonly end: number;
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly fraction: Float64Array;
}

function sample(
  [from, to]: readonly [number, number],
  [low, high]: readonly [number, number],
  mapLength: number,
): Sampling {
  const length = to - from;
  const start = Math.max(0, Math.ceil(low - 0.5) - from);
  const end = Math.min(length, Math.ceil(high - 0.5) - from);
  const first = new Int32Array(length);
  const second = new Int32Array(length);
  const fraction = new Float64Array(length);
  const scale = mapLength / (high - low);
  for (let i = start; i < end; i++) {
    const at = (from + i + 0.5 - low) * scale - 0.5;
    const inside = Math.min(Math.max(at, 0), mapLength - 1);
    first[i] = Math.floor(inside);
    second[i] = Math.min(first[i]! + 1, mapLength - 1);
    fraction[i] = inside - first[i]!;
  }
  return { start, end, first, second, fraction };
}

function mix(a: number, b: number, fraction: number): number {
  return a + (b - a) * fraction;
}

/** The mean of what is known, unless what weighs most is not. */
function mixKnown(
  terms: readonly (readonly [value: number, weight: number])[],
): number {
  const [nearest] = terms.reduce((a, b) => b[1] > a[1] ? b : a);
  if (Number.isNaN(nearest)) return NaN;
  let [sum, total] = [0, 0];
  for (const [value, weight] of terms) {
    if (Number.isNaN(value)) continue;
    sum += value * weight;
    total += weight;
  }
  return sum / total;
}
