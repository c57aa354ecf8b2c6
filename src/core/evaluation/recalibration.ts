import type { ThresholdChange } from "../model/thresholds.ts";
import { imageMetrics } from "../metrics/image_metrics.ts";
import { type Interval, shareInterval } from "../metrics/interval.ts";
import { judge, type Label, type Limits } from "../score/verdict.ts";
import { storedThreshold } from "../threshold/calibrate.ts";
import { groupsOf } from "../threshold/folds.ts";
import { oddImages } from "../threshold/odd_images.ts";

/** What a model says of an image it was not fitted to. */
export interface HeldOutImage {
  /** Name of the image. */
  readonly name: string;
  /** Raw image score. */
  readonly score: number;
  /** The largest pixel of its map. */
  readonly highest: number;
}

/** A part, of which there may be several images. */
export interface HeldOutPart extends Omit<HeldOutImage, "name"> {
  /** Names of its images. */
  readonly names: readonly string[];
}

/** A new threshold, and what of the parts did not count for it. */
export interface Recalibration {
  /** The thresholds. */
  readonly change: ThresholdChange;
  /** Good parts that look unlike the others, the oddest first. */
  readonly odd: readonly HeldOutPart[];
}

/** What a new threshold is made by. */
export interface RecalibrationOptions {
  /** The share of good parts that will be called anomalous. */
  readonly falseAlarms: number;
  /**
   * The share of them that will not be called normal; no band of uncertain
   * scores by default.
   */
  readonly uncertain?: number | undefined;
  /** Whether scores are squared distances. */
  readonly isSquared: boolean;
}

/**
 * Puts images of a part together. A part is as anomalous as its worst image.
 *
 * @param images One after the other.
 * @param groupBy What names of a part's images have in common; by default every
 * image is a part.
 */
export function partsOf(
  images: readonly HeldOutImage[],
  groupBy?: RegExp,
): HeldOutPart[] {
  const groups = groupsOf(images.map(({ name }) => name), groupBy);
  const parts = Map.groupBy(images, (_, i) => groups[i]);
  return [...parts.values()].map((members) => ({
    names: members.map(({ name }) => name),
    score: members.reduce(
      (most, { score }) => Math.max(most, score),
      -Infinity,
    ),
    highest: members.reduce(
      (most, { highest }) => Math.max(most, highest),
      -Infinity,
    ),
  }));
}

/**
 * Thresholds of scores and of maps that keep a promise, from good parts that the
 * model was not fitted to: by the rule that `fit` goes by.
 *
 * @throws {RangeError} If there are no two different scores.
 */
export function promisedThresholds(
  good: readonly HeldOutPart[],
  options: RecalibrationOptions,
): Recalibration {
  const { falseAlarms, isSquared } = options;
  const found = oddParts(good, isSquared);
  const { odd } = found;
  const make = (of: "score" | "highest", rate: number) =>
    storedThreshold(good.map((part) => part[of]), {
      ...{ falseAlarms: rate, quantile: null, factor: 1, isSquared, odd },
      scores: of === "score"
        ? "held-out good parts"
        : "map maxima of held-out good parts",
    });
  const threshold = make("score", falseAlarms);
  if (threshold === undefined) {
    throw new RangeError(
      `Cannot set a threshold from ${good.length} good parts${
        odd.length > 0 ? `, ${odd.length} of them odd` : ""
      }: expected two different scores at least; give more good parts`,
    );
  }
  const map = make("highest", falseAlarms);
  return {
    change: {
      score: threshold.value,
      uncertainFrom: bandOf(good, threshold.value, { ...options, odd }),
      rule: threshold.rule,
      ...(map && { map: map.value, mapRule: map.rule }),
    },
    odd: odd.map((place) => good[place]!),
  };
}

/**
 * Thresholds of the best F1 on good and bad parts: halfway between the lowest
 * score that reaches it and the next below. Where maps do not tell the parts
 * apart, there is none of maps.
 *
 * @throws {RangeError} If there are no good parts or no bad ones, or scores do
 * not tell them apart: the best F1 would call all good parts anomalous.
 */
export function bestThresholds(
  good: readonly HeldOutPart[],
  bad: readonly HeldOutPart[],
  options: Pick<RecalibrationOptions, "uncertain" | "isSquared">,
): Recalibration {
  if (good.length === 0 || bad.length === 0) {
    throw new RangeError(
      `Cannot find the best F1 of ${good.length} good and ${bad.length} bad parts: expected some of each`,
    );
  }
  const score = bestF1(good, bad, "score");
  if (score === undefined) {
    throw new RangeError(
      `Cannot find the best F1 of ${good.length} good and ${bad.length} bad parts: it would call every good part anomalous, as the bad ones do not score higher; look at the images and at what the model sees of them, or set a threshold from good parts alone`,
    );
  }
  const map = bestF1(good, bad, "highest");
  const rule = {
    rule: "best F1",
    scores: "held-out good and bad parts",
    good: good.length,
    bad: bad.length,
  };
  const { odd } = oddParts(good, options.isSquared);
  return {
    change: {
      score: score.value,
      uncertainFrom: bandOf(good, score.value, { ...options, odd }),
      rule: { ...rule, f1: score.f1 },
      ...(map && {
        map: map.value,
        mapRule: {
          ...rule,
          scores: `map maxima of ${rule.scores}`,
          f1: map.f1,
        },
      }),
    },
    odd: [],
  };
}

/** Nothing where the best F1 is that of calling all good parts anomalous. */
function bestF1(
  good: readonly HeldOutPart[],
  bad: readonly HeldOutPart[],
  of: "score" | "highest",
): { value: number; f1: number } | undefined {
  const scores = [...good, ...bad].map((part) => part[of]);
  const { f1Max } = imageMetrics(scores, [
    ...good.map(() => false),
    ...bad.map(() => true),
  ]);
  const { f1, threshold, falsePositives } = f1Max;
  if (falsePositives === good.length) return undefined;
  const next = scores.reduce(
    (most, score) => score < threshold ? Math.max(most, score) : most,
    -Infinity,
  );
  return { value: (threshold + next) / 2, f1 };
}

/** Where the band of uncertain scores begins, if there is to be one. */
function bandOf(
  good: readonly HeldOutPart[],
  high: number,
  { uncertain, isSquared, odd }:
    & Pick<RecalibrationOptions, "uncertain" | "isSquared">
    & { readonly odd: readonly number[] },
): number | undefined {
  if (uncertain === undefined) return undefined;
  const low = storedThreshold(good.map(({ score }) => score), {
    ...{ falseAlarms: uncertain, quantile: null, factor: 1, isSquared, odd },
    scores: "held-out good parts",
  });
  if (low !== undefined && low.value < high) return low.value;
  throw new RangeError(
    `Cannot call the share ${uncertain} of good parts uncertain: ${
      low === undefined
        ? "their scores do not differ"
        : `that begins at ${low.value}, not below the threshold ${high}`
    }; give a larger share`,
  );
}

function oddParts(
  good: readonly HeldOutPart[],
  isSquared: boolean,
): { odd: readonly number[] } {
  const of = (pick: (part: HeldOutPart) => number): number[] =>
    good.map((part) => isSquared ? Math.sqrt(pick(part)) : pick(part));
  return oddImages(of(({ score }) => score), of(({ highest }) => highest));
}

/** How a kind of parts is judged. */
export interface JudgedParts {
  /** How many parts there are. */
  readonly parts: number;
  /** How many images of them. */
  readonly images: number;
  /** Parts that are called normal. */
  readonly normal: number;
  /** Parts that are called uncertain. */
  readonly uncertain: number;
  /** Parts that are called anomalous. */
  readonly anomalous: number;
  /** The share that is called what it is; `null` without parts. */
  readonly right: number | null;
  /** Its 95 % interval. */
  readonly right_interval: Interval | null;
}

/** Counts the verdicts of parts that are all good, or all bad. */
export function judgeParts(
  parts: readonly HeldOutPart[],
  truth: "normal" | "anomalous",
  limits: Limits,
): JudgedParts {
  const labels = parts.map(({ score }) => judge(score, limits).label);
  const count = (label: Label): number =>
    labels.filter((own) => own === label).length;
  const right = count(truth);
  const isEmpty = parts.length === 0;
  return {
    parts: parts.length,
    images: parts.reduce((sum, { names }) => sum + names.length, 0),
    normal: count("normal"),
    uncertain: count("uncertain"),
    anomalous: count("anomalous"),
    right: isEmpty ? null : right / parts.length,
    right_interval: isEmpty ? null : shareInterval(right, parts.length),
  };
}
