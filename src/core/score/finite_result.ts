/** What is said of one image. */
interface ImageResult {
  /** Image score. */
  readonly score: number;
  /** Anomaly map, row by row. */
  readonly map: Float32Array;
  /** Pixels of the map that are NaN as they are not inspected, 0 by default. */
  readonly unseen?: number | undefined;
}

/**
 * Refuses a result that says nothing: a NaN is below every threshold.
 *
 * @param name Name of the image.
 * @param result Its score and map.
 * @throws {RangeError} If a number of it is not finite.
 */
export function checkFiniteResult(
  name: string,
  { score, map, unseen = 0 }: ImageResult,
): void {
  const what = !Number.isFinite(score)
    ? `its score is ${score}`
    : unknownPixels(map) === unseen
    ? undefined
    : "its anomaly map has values that are not finite";
  if (what === undefined) return;
  throw new RangeError(
    `Cannot score image "${name}": ${what}; its levels, or the weights of the backbone, are beyond what the network can take`,
  );
}

/** How many pixels are not finite. */
function unknownPixels(map: Float32Array): number {
  let count = 0;
  for (const value of map) if (!Number.isFinite(value)) count++;
  return count;
}
