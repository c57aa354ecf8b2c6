import type { FloatImage } from "./pixels.ts";
import type { CropGeometry } from "./resize_plan.ts";

/**
 * Draws a map of a network's input into the geometry of the original image:
 * bilinear between the map's pixel centres, NaN where a pixel's centre lies
 * outside the crop.
 *
 * @param map `[h, w]`, what the network saw.
 * @param geometry Where that lies in the original image.
 * @returns `[height, width]` of the original image.
 */
export function mapToOriginal(
  map: FloatImage,
  geometry: CropGeometry,
): FloatImage {
  const { width, height, left, right, top, bottom } = geometry;
  const columns = sample(width, left, right, map.width);
  const rows = sample(height, top, bottom, map.height);
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
      data[y * width + x] = mix(above, below, down);
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
  length: number,
  low: number,
  high: number,
  mapLength: number,
): Sampling {
  const start = Math.max(0, Math.ceil(low - 0.5));
  const end = Math.min(length, Math.ceil(high - 0.5));
  const first = new Int32Array(length);
  const second = new Int32Array(length);
  const fraction = new Float64Array(length);
  const scale = mapLength / (high - low);
  for (let i = start; i < end; i++) {
    const at = (i + 0.5 - low) * scale - 0.5;
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
