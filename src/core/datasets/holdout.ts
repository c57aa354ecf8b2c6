import { Mt19937, permutation } from "../settings/random.ts";
import type { DatasetOptions, Sample } from "./dataset.ts";

/**
 * Splits normal images into some to fit and some to test, at random but
 * always the same for one seed. Both parts keep their order.
 *
 * @param options The seed and the share to test, rounded down, at least one
 *   image as long as one remains to fit.
 * @returns The images to fit and those to test.
 * @throws {RangeError} If the share is not between 0 and 1.
 */
export function splitHoldout(
  samples: readonly Sample[],
  options: DatasetOptions,
): { train: Sample[]; test: Sample[] } {
  const { seed = 0, holdout = 0.2 } = options;
  if (!(holdout > 0 && holdout < 1)) {
    throw new RangeError(
      `Cannot hold out normal images: holdout must be above 0 and below 1: current value is ${holdout}`,
    );
  }
  const wanted = Math.max(1, Math.floor(samples.length * holdout));
  const count = Math.max(0, Math.min(wanted, samples.length - 1));
  const order = permutation(new Mt19937(seed), samples.length);
  const chosen = new Set(order.subarray(0, count));
  return {
    train: samples.filter((_, index) => !chosen.has(index)),
    test: samples.filter((_, index) => chosen.has(index)),
  };
}
