import type { StoredEnsemble, StoredModel } from "../core/mod.ts";
import { jointScores, minMaxScale } from "../core/score/min_max_scale.ts";
import { settingsFromJson } from "../core/settings/resolve_settings.ts";
import {
  type Lessons,
  lessonsOf,
  type OddestImage,
} from "../core/threshold/lessons.ts";
import { PROGRAM } from "./help.ts";
import { oneLine } from "./terminal.ts";

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
    isSquared: members.length === 1 && distance !== "euclidean",
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
  { oddest, alike }: Lessons,
): Readonly<Record<string, unknown>> {
  return {
    oddest: oddest.map(({ name, score, isOdd, otherwise }) => ({
      image_path: name,
      score,
      odd: isOdd,
      threshold_otherwise: otherwise ?? null,
    })),
    neighbours_alike: alike ?? null,
  };
}

/** The same in lines for people. */
export function lessonLines(lessons: Lessons): string[] {
  const { spread, scored, falseAlarms, oddest, odd, alike } = lessons;
  if (spread === undefined) return [];
  const { low, median, high, largest } = spread;
  return [
    `Scores of ${scored} training images, each held out: median ${
      number(median)
    }, nine of ten from ${number(low)} to ${number(high)}, the largest ${
      number(largest)
    }`,
    ...falseAlarms === undefined ? [] : [
      `Promised: ${
        percent(falseAlarms.rate)
      } % of good parts will be called anomalous; with so few images that can be ${
        percent(falseAlarms.low)
      } to ${percent(falseAlarms.high)} %`,
    ],
    ...odd === 0 ? [] : [
      `${odd} ${
        odd === 1 ? "image looks" : "images look"
      } unlike the others, defective perhaps: look at ${
        odd === 1 ? "it" : "them"
      }, and leave ${
        odd === 1 ? "it" : "them"
      } out with --drop-odd auto; for the thresholds ${
        odd === 1 ? "it does" : "they do"
      } not count`,
    ],
    "The oddest training images:",
    ...oddest.map((image) => `  ${oddestLine(image)}`),
    ...alike === undefined ? [] : [
      `${alike} of ${scored} images score most like the one before or after them: if several show one part, tell which with --group-by, else the threshold may be too low`,
    ],
  ];
}

function oddestLine({ name, score, isOdd, otherwise }: OddestImage): string {
  const would = otherwise === undefined
    ? ""
    : `${isOdd ? "; with it" : ": without it"} the threshold would be ${
      number(otherwise)
    }`;
  return `${number(score).padStart(8)}  ${oneLine(name)}${
    isOdd ? " does not count" : ""
  }${would}`;
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
