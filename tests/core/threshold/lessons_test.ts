import { assertAlmostEquals, assertEquals } from "@std/assert";
import { promisedThreshold } from "../../../src/core/threshold/promise.ts";
import { lessonsOf } from "../../../src/core/threshold/lessons.ts";
import { resolveSettings } from "../../../src/core/settings/resolve_settings.ts";
import {
  storedThreshold,
  thresholdsOf,
} from "../../../src/core/threshold/calibrate.ts";

const SETTINGS = {
  falseAlarms: 0.05,
  quantile: null,
  mapQuantile: null,
  factor: 1,
};

/** Scores that have nothing to do with each other. */
const SCORES = Array.from(
  { length: 30 },
  (_, i) => 2 + (Math.sin(i * 12.9898) * 43758.5453) % 1,
);

function lessons(scores: readonly number[], odd: readonly number[] = []) {
  return lessonsOf({
    trainScores: scores,
    imageNames: scores.map((_, i) => `${i}.png`),
    threshold: storedThreshold(scores, {
      ...SETTINGS,
      odd,
      scores: "held-out folds",
      ...(odd.length > 0 && { rule: { odd_images: odd } }),
    }),
    settings: SETTINGS,
    isSquared: false,
  });
}

Deno.test("lessonsOf() tells the spread of the known scores and the promise", () => {
  const { scored, spread, falseAlarms } = lessons([...SCORES, NaN]);
  assertEquals(scored, 30);
  const sorted = SCORES.toSorted((a, b) => a - b);
  assertAlmostEquals(spread!.median, (sorted[14]! + sorted[15]!) / 2);
  assertEquals(spread!.largest, sorted.at(-1));
  assertEquals(falseAlarms!.rate, 0.05);
  assertEquals(falseAlarms!.low < 0.05 && falseAlarms!.high > 0.05, true);
  assertEquals([falseAlarms!.scores, falseAlarms!.isExtrapolated], [30, false]);
});

Deno.test("lessonsOf() tells of no promise where a factor breaks it", () => {
  const told = (factor: number) => {
    const { threshold } = thresholdsOf(
      { scores: SCORES, maxima: SCORES },
      resolveSettings({ threshold: { factor } }),
    );
    return lessonsOf({
      trainScores: SCORES,
      imageNames: SCORES.map((_, i) => `${i}.png`),
      ...{ threshold, settings: { ...SETTINGS, factor }, isSquared: false },
    }).falseAlarms;
  };
  assertEquals([told(1)?.rate, told(2)], [0.05, undefined]);
});

Deno.test("lessonsOf() does not say what few images would do to a fitted tail", () => {
  for (const count of [12, 19]) {
    const { oddest } = lessons(SCORES.slice(0, count));
    assertEquals(oddest.map(({ otherwise }) => otherwise), [
      ...Array(5).fill(undefined),
    ]);
  }
  const { oddest, falseAlarms } = lessons(SCORES.slice(0, 12));
  assertEquals(oddest.every(({ counts }) => counts), true);
  assertEquals(falseAlarms!.isExtrapolated, true);
  const [first] = lessons(SCORES.slice(0, 20)).oddest;
  assertEquals(typeof first!.otherwise, "number");
});

Deno.test("lessonsOf() tells how the oddest images change the threshold", () => {
  const [first, ...rest] = lessons(SCORES).oddest;
  assertEquals(rest.length, 4);
  assertEquals(first!.score, Math.max(...SCORES));
  const without = SCORES.filter((score) => score !== first!.score);
  assertEquals(first!.otherwise, promisedThreshold(without, 0.05)!.value);
});

Deno.test("lessonsOf() begins with images that did not count, and tells what if they did", () => {
  const scores = [...SCORES, 1.5];
  const [odd, next] = lessons(scores, [30]).oddest;
  assertEquals([odd!.name, odd!.isOdd, next!.isOdd], ["30.png", true, false]);
  assertEquals(odd!.otherwise, promisedThreshold(scores, 0.05)!.value);
  const without = SCORES.filter((score) => score !== next!.score);
  assertEquals(next!.otherwise, promisedThreshold(without, 0.05)!.value);
});

Deno.test("lessonsOf() tells that odd images count for a quantile", () => {
  const scores = [...SCORES, 9];
  const settings = { ...SETTINGS, quantile: 1 };
  const { threshold } = thresholdsOf(
    { scores, maxima: scores },
    resolveSettings({ threshold: settings }),
  );
  const told = lessonsOf({
    trainScores: scores,
    imageNames: scores.map((_, i) => `${i}.png`),
    ...{ threshold, settings, isSquared: false },
  });
  assertEquals([told.odd, told.oddAreCounted], [1, true]);
  const [odd, next] = told.oddest;
  assertEquals([odd!.name, odd!.isOdd, odd!.counts], ["30.png", true, true]);
  assertEquals(odd!.otherwise, Math.max(...SCORES));
  assertEquals([next!.isOdd, next!.otherwise], [false, 9]);
});

Deno.test.each<[string, ReturnType<typeof lessonsOf>["source"]]>([
  ["held-out folds", "training images"],
  ["held-out folds, mean of members on their scales", "training images"],
  ["leave-one-image-out", "training images"],
  ["held-out good parts", "good parts"],
  ["held-out good and bad parts", "good and bad parts"],
  ["none: set by hand", "none"],
])(
  "lessonsOf() tells what a threshold of %s was made from",
  (scores, source) => {
    const told = lessonsOf({
      trainScores: SCORES,
      imageNames: SCORES.map((_, i) => `${i}.png`),
      threshold: { value: 9, rule: { scores, rule: "order statistic" } },
      ...{ settings: SETTINGS, isSquared: false },
    });
    assertEquals(told.source, source);
  },
);

Deno.test("lessonsOf() tells of a second kind of parts", () => {
  assertEquals(lessons(SCORES).secondKind, false);
  const scores = Array.from(
    { length: 60 },
    (_, i) => (i < 12 ? 9 : 1) + 0.2 * SCORES[i % 30]! + i / 1e3,
  );
  const { threshold } = thresholdsOf(
    { scores, maxima: scores },
    resolveSettings(),
  );
  const told = lessonsOf({
    trainScores: scores,
    imageNames: scores.map((_, i) => `${i}.png`),
    ...{ threshold, settings: SETTINGS, isSquared: false },
  });
  assertEquals(told.secondKind, true);
});

Deno.test("lessonsOf() notices images that come in pairs, and no others", () => {
  assertEquals(lessons(SCORES).alike, undefined);
  const twins = SCORES.flatMap((score) => [score, score + 1e-4]);
  const { alike } = lessons(twins);
  assertEquals(alike! >= 54, true, `${alike} of 60`);
});
