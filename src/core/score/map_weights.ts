import { type BandTable, bandTable } from "../features/band_table.ts";
import { sourcePoints } from "../features/interpolation.ts";
import type { MapSettings } from "../settings/settings.ts";

/** Standard deviations at which the Gaussian ends, as in SciPy and anomalib. */
const TRUNCATE = 4;

/**
 * The taps of a Gaussian, normalised to the sum 1, in float64
 * (`scipy.ndimage.gaussian_filter`, truncate 4).
 *
 * @param sigma Standard deviation in pixels; 0 gives the single tap 1.
 * @returns An odd number of taps, the centre in the middle.
 */
export function gaussianTaps(sigma: number): Float64Array<ArrayBuffer> {
  const radius = Math.floor(TRUNCATE * sigma + 0.5);
  const taps = Float64Array.from(
    { length: 2 * radius + 1 },
    (_, i) => sigma === 0 ? 1 : Math.exp(-0.5 * ((i - radius) / sigma) ** 2),
  );
  const total = taps.reduce((sum, tap) => sum + tap, 0);
  return taps.map((tap) => tap / total);
}

/**
 * Where a position beyond the border lies inside.
 *
 * @param position Any integer.
 * @param size Number of positions inside.
 * @param border `"symmetric"` repeats the edge (d c b a | a b c d | d c b a),
 * `"reflect"` does not (d c b | a b c d | c b a).
 */
export function foldPosition(
  position: number,
  size: number,
  border: MapSettings["border"],
): number {
  const period = border === "symmetric" ? 2 * size : Math.max(1, 2 * size - 2);
  const offset = ((position % period) + period) % period;
  if (offset < size) return offset;
  return border === "symmetric" ? period - 1 - offset : period - offset;
}

/**
 * Folds upsampling and smoothing of one axis into one banded matrix. Both are
 * linear and separable, so the product of the two axes' matrices is the map;
 * it needs a few source points per pixel where the Gaussian alone has 33 taps.
 *
 * @param points Size of the axis in patches.
 * @param outputs Size of the axis in pixels.
 */
export function mapWeights(
  points: number,
  outputs: number,
  { interpolation, sigma, border }: MapSettings,
): BandTable {
  const sources = sourcePoints(points, outputs, interpolation);
  const taps = gaussianTaps(sigma);
  const radius = (taps.length - 1) / 2;
  return bandTable(points, outputs, (output, add) => {
    taps.forEach((tap, t) => {
      const position = foldPosition(output + t - radius, outputs, border);
      const { lower, upper, weight } = sources[position]!;
      add(lower, tap * (1 - weight));
      add(upper, tap * weight);
    });
  });
}
