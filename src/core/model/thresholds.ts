import type { Limits } from "../score/verdict.ts";
import type { StoredThreshold } from "./stored_model.ts";

/** The thresholds of a model, or of several that judge together. */
export interface StoredThresholds {
  /** That of image scores, unless none could be found. */
  readonly threshold?: StoredThreshold;
  /** That of anomaly maps' pixels. */
  readonly mapThreshold?: StoredThreshold;
  /**
   * Pixels of the original image that a region above the maps' threshold has at
   * least in an anomalous image; without it regions have no say.
   */
  readonly minArea?: number;
}

/** Thresholds to use instead of a model's own. */
export interface ThresholdChange {
  /** Raw score at and above which an image is anomalous. */
  readonly score: number;
  /** Raw score from which on it is uncertain; no such band by default. */
  readonly uncertainFrom?: number | undefined;
  /**
   * Map value at and above which a pixel is anomalous; by default the model's
   * own, moved as that of scores is.
   */
  readonly map?: number | undefined;
  /** How it came about, as plain JSON; by default that it was set. */
  readonly rule?: StoredThreshold["rule"];
  /** The same of the maps' threshold. */
  readonly mapRule?: StoredThreshold["rule"];
}

/** What a model's thresholds say, in numbers. */
export function limitsOf(
  { threshold, mapThreshold, minArea }: {
    readonly [K in keyof StoredThresholds]: StoredThresholds[K] | undefined;
  },
): Limits {
  const score = threshold?.value ?? null;
  return {
    score,
    uncertainFrom: threshold?.uncertainFrom ?? null,
    map: mapThreshold?.value ?? score,
    ...(minArea !== undefined && { minArea }),
  };
}

/**
 * A model with another least area of regions; everything else stays.
 *
 * @param area Pixels of the original image, from 1 up; `undefined`: none.
 * @throws {RangeError} If it is no such number.
 */
export function withMinArea<M extends StoredThresholds>(
  model: M,
  area: number | undefined,
): M {
  const { minArea: _minArea, ...rest } = model;
  if (area === undefined) return rest as M;
  checkMinArea(area);
  return { ...rest, minArea: area } as M;
}

/** @throws {RangeError} If a least area is not a whole number from 1 up. */
function checkMinArea(area: number): void {
  if (Number.isSafeInteger(area) && area >= 1) return;
  throw new RangeError(
    `Cannot use ${area} as the least area of a region: expected whole pixels from 1 up`,
  );
}

/**
 * A model with other thresholds; everything else stays, and with it how training
 * images were grouped, which `append` goes on with. Scores of a model are
 * distances, so that its thresholds are above 0; joint scores of an ensemble
 * (`members` in it) may be negative.
 *
 * @throws {RangeError} If a value is not finite or not above 0, the band is
 * empty, or the maps' threshold cannot be moved along.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { withThresholds } from "@patchcore/webgpu/core";
 *
 * const model = {
 *   threshold: { value: 2, rule: {} },
 *   mapThreshold: { value: 3, rule: {} },
 * };
 * const { threshold, mapThreshold } = withThresholds(model, { score: 4 });
 * assertEquals([threshold?.value, mapThreshold?.value], [4, 6]);
 * ```
 */
export function withThresholds<M extends StoredThresholds>(
  model: M,
  change: ThresholdChange,
): M {
  const areDistances = !("members" in model);
  checkChange(change, areDistances);
  const { score, uncertainFrom } = change;
  const groupBy = model.threshold?.rule["group_by"];
  const rule = {
    ...(groupBy !== undefined && { group_by: groupBy }),
    ...(change.rule ?? { scores: "none: set by hand" }),
  };
  const map = change.map ?? movedMap(model, score, areDistances);
  const { threshold: _threshold, mapThreshold: _mapThreshold, ...rest } = model;
  return {
    ...rest,
    threshold: {
      value: score,
      ...(uncertainFrom !== undefined && { uncertainFrom }),
      rule,
    },
    ...(map !== undefined && {
      mapThreshold: {
        value: map,
        rule: change.mapRule ??
          (change.map === undefined
            ? { scores: "none: moved with the threshold of scores" }
            : rule),
      },
    }),
  } as M;
}

function checkChange(
  { score, uncertainFrom, map }: ThresholdChange,
  areDistances: boolean,
): void {
  for (const value of [score, uncertainFrom, map]) {
    if (value === undefined || isThreshold(value, areDistances)) continue;
    throw new RangeError(
      `Cannot use ${value} as a threshold: expected ${
        areDistances
          ? "a finite number above 0, as scores are distances"
          : "a finite number"
      }`,
    );
  }
  if (uncertainFrom !== undefined && !(uncertainFrom < score)) {
    throw new RangeError(
      `Cannot call images uncertain from ${uncertainFrom} to ${score}: expected the first below the second`,
    );
  }
}

function isThreshold(value: number, isDistance: boolean): boolean {
  return Number.isFinite(value) && (!isDistance || value > 0);
}

/**
 * The threshold of maps for another one of scores: the same times as large.
 * Joint scores of an ensemble are no distances and may be negative; then it is
 * the same amount larger.
 */
function movedMap(
  { threshold, mapThreshold }: StoredThresholds,
  score: number,
  areDistances: boolean,
): number | undefined {
  if (threshold === undefined || mapThreshold === undefined) return undefined;
  const { value } = threshold;
  const moved = areDistances || value > 0 && score > 0
    ? mapThreshold.value * (score / value)
    : mapThreshold.value + (score - value);
  if (isThreshold(moved, areDistances)) return moved;
  throw new RangeError(
    `Cannot move the maps' threshold ${mapThreshold.value} along with that of scores, from ${value} to ${score}: that gives ${moved}; give one of maps as well`,
  );
}
