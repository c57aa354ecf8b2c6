import { betaQuantile } from "../threshold/beta.ts";

/** The ends of an interval, from 0 to 1. */
export type Interval = readonly [low: number, high: number];

/**
 * The Clopper–Pearson interval of a share: what the true share can be when
 * `hits` of `trials` were counted. It covers it with at least the confidence.
 *
 * @param hits From 0 to `trials`.
 * @param trials How many were looked at; none says nothing: from 0 to 1.
 * @param confidence 0.95 by default.
 * @throws {RangeError} If the counts are no counts.
 */
export function shareInterval(
  hits: number,
  trials: number,
  confidence = 0.95,
): Interval {
  const areCounts = Number.isInteger(hits) && Number.isInteger(trials);
  if (!areCounts || hits < 0 || hits > trials) {
    throw new RangeError(
      `Cannot tell the interval of a share: ${hits} of ${trials} were counted, expected whole numbers from 0 up`,
    );
  }
  const tail = (1 - confidence) / 2;
  return [
    hits === 0 ? 0 : betaQuantile(tail, hits, trials - hits + 1),
    hits === trials ? 1 : betaQuantile(1 - tail, hits + 1, trials - hits),
  ];
}
