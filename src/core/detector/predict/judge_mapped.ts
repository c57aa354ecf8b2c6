import { largestArea } from "../../score/defect_regions.ts";
import {
  judge,
  judgeWithMap,
  type Limits,
  type Verdict,
} from "../../score/verdict.ts";
import type { AnomalyMap } from "./prediction.ts";

/**
 * A map with what it is judged by.
 *
 * @param unseen How many of its pixels are not inspected.
 */
export function judgedMap(
  { width, height, data, geometry }: Pick<
    AnomalyMap,
    "width" | "height" | "data" | "geometry"
  >,
  unseen: number,
  { map: threshold, minArea }: Limits,
): AnomalyMap {
  return {
    ...{ width, height, data, threshold, geometry },
    ...(unseen > 0 && { unseen }),
    ...(minArea !== undefined && { minArea }),
  };
}

/** Judges a score, and the regions of its map where the limits ask for that. */
export function judgeMapped(
  score: number,
  map: AnomalyMap,
  limits: Limits,
): Verdict {
  const verdict = judge(score, limits);
  const { minArea } = limits;
  if (minArea === undefined) return verdict;
  const isLarge = largestArea(map) >= minArea;
  return { ...verdict, label: judgeWithMap(verdict.label, isLarge) };
}
