/** How values between grid points are found. */
export type Interpolation = "bilinear" | "nearest";

/** Between which two source points a target point lies. */
export interface SourcePoint {
  /** Index of the lower source point. */
  readonly lower: number;
  /** Index of the upper source point; the lower one again at the border. */
  readonly upper: number;
  /** Weight of the upper point, 0 to below 1; the lower one has the rest. */
  readonly weight: number;
}

/**
 * Where each of `to` target points lies among `from` source points, as
 * `torch.nn.functional.interpolate` places them with `align_corners=False`,
 * in its 32-bit arithmetic.
 *
 * @param from Number of source points.
 * @param to Number of target points.
 * @param interpolation `"nearest"` gives the lower point all the weight.
 */
export function sourcePoints(
  from: number,
  to: number,
  interpolation: Interpolation,
): SourcePoint[] {
  const scale = Math.fround(from / to);
  return Array.from({ length: to }, (_, target) => {
    if (interpolation === "nearest") {
      const nearest = Math.floor(Math.fround(target * scale));
      const lower = Math.min(nearest, from - 1);
      return { lower, upper: lower, weight: 0 };
    }
    const centre = Math.fround(Math.fround(target + 0.5) * scale);
    const position = Math.max(0, Math.fround(centre - 0.5));
    const lower = Math.min(Math.floor(position), from - 1);
    const upper = Math.min(lower + 1, from - 1);
    const weight = upper === lower ? 0 : Math.fround(position - lower);
    return { lower, upper, weight };
  });
}
