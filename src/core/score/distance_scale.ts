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

/** Whether patches of several tiles make the score of an image together. */
export function sharesTop(
  { tiles, topShare }: Pick<Settings, "tiles" | "topShare">,
): boolean {
  return tiles !== undefined && topShare !== null;
}

/**
 * The mean of an image's largest patch scores, where they come from several tiles
 * of it; scores that are left out count as 0.
 *
 * @param scores Those of each tile, or its `count` largest, in any order.
 * @param count How many count.
 * @returns NaN if one of the scores is none.
 */
export function meanOfLargest(
  scores: readonly ArrayLike<number>[],
  count: number,
): number {
  const all = scores.flatMap((some) => Array.from(some));
  if (all.some(Number.isNaN)) return NaN;
  const largest = all.sort((a, b) => b - a).slice(0, count);
  return largest.reduce((sum, score) => sum + score, 0) / count;
}
