/** The most workgroups WebGPU dispatches per dimension by default. */
export const MAX_WORKGROUPS_PER_DIMENSION = 65_535;

/**
 * Folds a linear number of workgroups into two dimensions. A kernel gets its
 * linear workgroup back as `wid.y * num_workgroups.x + wid.x` and must ignore
 * the surplus.
 *
 * @returns Workgroup counts `[x, y, 1]` with `x * y >= count`.
 * @throws {RangeError} If the count does not fit two dimensions.
 */
export function gridFor(count: number): [number, number, number] {
  if (count <= MAX_WORKGROUPS_PER_DIMENSION) return [Math.max(count, 1), 1, 1];
  const y = Math.ceil(count / MAX_WORKGROUPS_PER_DIMENSION);
  if (y > MAX_WORKGROUPS_PER_DIMENSION) {
    throw new RangeError(
      `Cannot dispatch ${count} workgroups: at most ${
        MAX_WORKGROUPS_PER_DIMENSION ** 2
      } are possible`,
    );
  }
  return [Math.ceil(count / y), y, 1];
}

/** The smallest multiple of `step` that is not below `value`. */
export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/**
 * The grid of kernels whose workgroups cover 8 vec4 channels by 8 pixels: x over
 * channels, y and z over pixels.
 */
export function pixelGrid(
  channels4: number,
  pixels: number,
): [number, number, number] {
  const [y, z] = gridFor(Math.ceil(pixels / 8));
  return [Math.ceil(channels4 / 8), y, z];
}
