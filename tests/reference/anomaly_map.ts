/**
 * Anomaly maps step by step in float64: interpolation to pixels, then a
 * two-dimensional Gaussian over an explicitly extended image.
 *
 * @module
 */
import { positions } from "./patch_features.ts";

/** As in the settings. */
export interface Options {
  /** Interpolation to pixels. */
  readonly interpolation: "bilinear" | "nearest";
  /** Standard deviation of the Gaussian. */
  readonly sigma: number;
  /** What lies beyond the border. */
  readonly border: "symmetric" | "reflect";
}

/** The map `[height, width]` of scores on a patch grid. */
export function anomalyMap(
  scores: ArrayLike<number>,
  grid: readonly [number, number],
  size: readonly [number, number],
  options: Options,
): Float64Array {
  const rows = positions(grid[0], size[0], options.interpolation);
  const columns = positions(grid[1], size[1], options.interpolation);
  const upsampled = Float64Array.from(
    rows.flatMap((row) =>
      columns.map((column) => {
        const line = (y: number) =>
          (1 - column.t) * scores[y * grid[1] + column.lower]! +
          column.t * scores[y * grid[1] + column.upper]!;
        return (1 - row.t) * line(row.lower) + row.t * line(row.upper);
      })
    ),
  );
  return gaussian(upsampled, size, options);
}

function gaussian(
  image: Float64Array,
  [height, width]: readonly [number, number],
  { sigma, border }: Options,
): Float64Array {
  const radius = Math.floor(4 * sigma + 0.5);
  const taps: number[] = [];
  for (let i = -radius; i <= radius; i++) {
    taps.push(radius === 0 ? 1 : Math.exp(-(i ** 2) / (2 * sigma ** 2)));
  }
  const total = taps.reduce((sum, tap) => sum + tap);
  const across = image.map((_, at) => {
    const y = Math.floor(at / width);
    let sum = 0;
    taps.forEach((tap, t) => {
      const x = bounce(at % width + t - radius, width, border);
      sum += tap / total * image[y * width + x]!;
    });
    return sum;
  });
  return across.map((_, at) => {
    const y = Math.floor(at / width);
    let sum = 0;
    taps.forEach((tap, t) => {
      const row = bounce(y + t - radius, height, border);
      sum += tap / total * across[row * width + at % width]!;
    });
    return sum;
  });
}

/** Walks back and forth until it is inside. */
function bounce(
  position: number,
  size: number,
  border: "symmetric" | "reflect",
): number {
  if (size === 1) return 0;
  const repeat = border === "symmetric" ? 1 : 0;
  let at = position;
  while (at < 0 || at >= size) {
    at = at < 0 ? -at - repeat : 2 * (size - 1) - at + repeat;
  }
  return at;
}
