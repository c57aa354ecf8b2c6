import type { Settings } from "../settings/settings.ts";

/** How scores are made of squared distances between rows. */
export interface DistanceScale {
  /** Whether they stay squared. */
  readonly squared: boolean;
  /** What they are multiplied with. */
  readonly scale: number;
}

/**
 * How a distance is made of squared ones: between rows of the length 1, half of
 * it is 1 − cos.
 */
export function distanceScale(
  distance: Settings["distance"],
): DistanceScale {
  return {
    squared: distance !== "euclidean",
    scale: distance === "cosine" ? 0.5 : 1,
  };
}

/**
 * How many of an image's patches make its score.
 *
 * @param topShare Share of the patches; `null`: the one with the largest score.
 */
export function topCount(patches: number, topShare: number | null): number {
  return Math.max(1, Math.floor(patches * (topShare ?? 0)));
}
