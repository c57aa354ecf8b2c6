import type { StoredEnsemble, StoredModel } from "../core/mod.ts";
import { jointScores, minMaxScale } from "../core/score/min_max_scale.ts";
import { settingsFromJson } from "../core/settings/resolve_settings.ts";
import {
  type Lessons,
  lessonsOf,
  type OddestImage,
} from "../core/threshold/lessons.ts";
import type {
  PromisedShare,
  ThresholdSource,
} from "../core/threshold/rule_facts.ts";
import { distanceScale } from "../core/score/distance_scale.ts";
import { PROGRAM } from "./help.ts";
import { oneLine } from "./terminal.ts";

/** Shares below a tenth of a per cent are not told apart. */
const LEAST_SHARE = 0.001;

/**
 * What the training images of a model or an ensemble say of it.
 *
 * @param count How many of the oddest images are wanted.
 */
export function modelLessons(
  model: StoredModel | StoredEnsemble,
  count?: number,
): Lessons {
  const members = "members" in model ? model.members : [model];
  const [first] = members as [StoredModel];
  const { threshold: settings, distance } = settingsFromJson(first.settings);
  return lessonsOf({
    trainScores: trainScoresOf(members),
    imageNames: first.imageNames,
    threshold: model.threshold,
    settings,
    isSquared: members.length === 1 && distanceScale(distance).squared,
  }, count);
}

/** Scores of the training images, joint ones where there are several members. */
export function trainScoresOf(
  members: readonly StoredModel[],
): ArrayLike<number> {
  const scores = members.map(({ trainScores }) => trainScores);
  if (scores.length === 1) return scores[0]!;
  const scales = scores.map((own) => minMaxScale(own)!);
  return jointScores(scores, scales);
}

/** The same as JSON. */
export function lessonFacts(
  { oddest, alike, secondKind, source }: Lessons,
): Readonly<Record<string, unknown>> {
  return {
    threshold_source: source ?? null,
    oddest: oddest.map(({ name, score, isOdd, counts, otherwise }) => ({
      image_path: name,
      score,
      odd: isOdd,
      counts,
      threshold_otherwise: otherwise ?? null,
    })),
    second_kind: secondKind,
    neighbours_alike: alike ?? null,
  };
}

/** The same in lines for people. */
export function lessonLines(lessons: Lessons): string[] {
  const { spread, scored, source, falseAlarms, oddest } = lessons;
  if (spread === undefined) return [];
  const { low, median, high, largest } = spread;
  return [
    `Scores of ${scored} training images, each held out: median ${
      number(median)
    }, nine of ten from ${number(low)} to ${number(high)}, the largest ${
      number(largest)
    }`,
    ...source === undefined || source === "training images"
      ? []
      : [sourceLine(source)],
    ...falseAlarms === undefined ? [] : [promiseLine(falseAlarms, source)],
    ...oddLines(lessons),
    "The oddest training images:",
    ...oddest.map((image) => `  ${oddestLine(image)}`),
    ...alikeLines(lessons),
  ];
}

/** Where a threshold comes from that is none of the fit. */
function sourceLine(
  source: Exclude<ThresholdSource, "training images">,
): string {
  return source === "none"
    ? "The threshold was set by hand, whatever the training images score: it promises nothing"
    : source === "good parts"
    ? "The threshold comes from good parts that calibrate was given, whatever the training images score"
    : "The threshold is that of the best F1 on good and bad parts that calibrate was given: it promises nothing";
}

/**
 * What a threshold promises, in a line.
 *
 * @param source What it was made from.
 */
export function promiseLine(
  { rate, low, high, scores, isExtrapolated }: PromisedShare,
  source: ThresholdSource | undefined,
): string {
  const what = source === "good parts" ? "good parts" : "training images";
  const least = Math.min(LEAST_SHARE, rate / 10);
  const share = (value: number): string =>
    value < least ? `below ${percent(least)}` : percent(value);
  return `Promised: ${
    percent(rate)
  } % of good parts will be called anomalous; with ${scores} ${what} that can be ${
    share(low)
  } % to ${share(high)} %${
    isExtrapolated
      ? `, as ${scores} are too few to count so small a share (${
        Math.ceil((1 - rate) / rate)
      } are needed): it follows from a tail fitted to their largest scores`
      : ""
  }`;
}

/** What is said of images that look unlike the others. */
function oddLines({ odd, oddAreCounted, secondKind }: Lessons): string[] {
  const [look, they] = odd === 1
    ? ["image looks", "it"]
    : ["images look", "them"];
  const counted = oddAreCounted
    ? "the threshold is a quantile of all images, these included"
    : `for the threshold ${odd === 1 ? "it does" : "they do"} not count`;
  return [
    ...odd === 0 ? [] : [
      `${odd} ${look} unlike the others, defective perhaps: look at ${they}, and leave ${they} out with --drop-odd auto; ${counted}`,
    ],
    ...secondKind
      ? [
        "So many images score much higher than the others that they may be a second kind of parts, or taken in another way: they count for the threshold; look at the oddest, and fit each kind alone if there are two",
      ]
      : [],
  ];
}

/** What is said of images that come in pairs. */
function alikeLines({ alike, scored, source }: Lessons): string[] {
  if (alike === undefined) return [];
  const why = source === "training images"
    ? "if several show one part, tell which with --group-by, else the threshold may be too low"
    : "several may show one part, so that they are fewer witnesses than they seem";
  return [
    `${alike} of ${scored} images score most like the one before or after them: ${why}`,
  ];
}

function oddestLine(
  { name, score, isOdd, counts, otherwise }: OddestImage,
): string {
  const what = isOdd
    ? counts ? " looks unlike the others" : " does not count"
    : "";
  const would = otherwise === undefined
    ? ""
    : `${isOdd ? "; " : ": "}${
      counts ? "without" : "with"
    } it the threshold would be ${number(otherwise)}`;
  return `${number(score).padStart(8)}  ${oneLine(name)}${what}${would}`;
}

/** What to do with a model that was just made. */
export function nextLine(model: string): string {
  return `Next: ${PROGRAM} predict IMAGES --model ${model} --out results --report; with good parts that were held back, calibrate ${model} --good DIR`;
}

function number(value: number): string {
  return value.toPrecision(4);
}

function percent(share: number): string {
  return String(Number((100 * share).toPrecision(2)));
}
