import type { StoredModel } from "../model/stored_model.ts";
import type { Settings } from "../settings/settings.ts";
import { type Calibration, rulesOf } from "./calibrate.ts";

/** Scores of images that were compared with a finished bank. */
export interface FreshScores {
  /** Image scores. */
  readonly scores: readonly number[];
  /** The largest pixels of their maps. */
  readonly maxima: readonly number[];
  /** How many images they were drawn from, where they are not all. */
  readonly drawnFrom?: number;
}

/** Stored training scores that are known: 0 stands for one that is not. */
export function knownScores(scores: Float32Array): number[] {
  return Array.from(scores).filter((score) => score > 0);
}

/**
 * Thresholds of a bank that earlier banks went into. Their images are gone, so
 * they count with the scores they had: more rows can only lower those, rows
 * that were dropped can raise them by the distance to what stands for them. Of
 * their maps only the threshold is known; the highest one counts.
 *
 * @param earlier Models whose bank went into the new one.
 * @param settings Quantiles and factor.
 * @param fresh Images that were scored anew.
 */
export function joinedRules(
  earlier: readonly StoredModel[],
  settings: Settings,
  fresh: FreshScores,
): Pick<Calibration, "threshold" | "mapThreshold"> {
  const before = earlier.flatMap(({ trainScores }) => knownScores(trainScores));
  const { drawnFrom } = fresh;
  const rules = rulesOf([...before, ...fresh.scores], fresh.maxima, settings, {
    ...(drawnFrom !== undefined && { drawn_from: drawnFrom }),
    ...(earlier.length > 0 && { scored_before: before.length }),
  });
  const { factor, mapQuantile } = settings.threshold;
  const own = rulesOf(fresh.scores, fresh.maxima, settings).mapThreshold?.value;
  const values = earlier.flatMap(({ mapThreshold }) => {
    if (mapThreshold === undefined) return [];
    const { value, rule } = mapThreshold;
    const { quantile, factor: before } = rule as Record<string, number>;
    return quantile === mapQuantile ? [value / before * factor] : [];
  });
  if (own !== undefined) values.push(own);
  const { threshold, mapThreshold } = rules;
  if (mapThreshold === undefined || values.length === 0) {
    return { ...(threshold && { threshold }) };
  }
  return {
    ...(threshold && { threshold }),
    mapThreshold: { ...mapThreshold, value: Math.max(...values) },
  };
}
