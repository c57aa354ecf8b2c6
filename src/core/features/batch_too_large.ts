import { GpuError, GpuLostError } from "../../gpu/mod.ts";

/**
 * What to throw where space for a batch cannot be had: which sizes to choose
 * smaller, or the error as it is where sizes are not to blame.
 *
 * @param error What allocating or recording threw.
 * @param images Images of the batch.
 * @param input The network's input, `[height, width]` in pixels.
 */
export function batchTooLarge(
  error: unknown,
  images: number,
  [height, width]: readonly [number, number],
): unknown {
  if (!isTooLarge(error)) return error;
  const { message: cause } = error;
  const advice = "use smaller images (--resize) or tiles (--tile)";
  if (cause.includes(advice)) return error;
  return new GpuError(
    `Cannot take ${
      images === 1 ? "an image" : `${images} images`
    } of ${width} × ${height} pixels at a time: ${cause}; ${advice}`,
    { cause: error },
  );
}

/** Whether an error says that space cannot be had, so that less may be. */
export function isTooLarge(error: unknown): error is GpuError {
  return error instanceof GpuError && !(error instanceof GpuLostError);
}
