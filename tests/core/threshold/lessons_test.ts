import { assertAlmostEquals, assertEquals } from "@std/assert";
import { promisedThreshold } from "../../../src/core/threshold/promise.ts";
import { lessonsOf } from "../../../src/core/threshold/lessons.ts";
import { storedThreshold } from "../../../src/core/threshold/calibrate.ts";

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

Deno.test("lessonsOf() notices images that come in pairs, and no others", () => {
  assertEquals(lessons(SCORES).alike, undefined);
  const twins = SCORES.flatMap((score) => [score, score + 0.01]);
  const { alike } = lessons(twins);
  // Every other neighbour is a twin, the others have nothing in common.
  assertEquals(alike! > 0.3 && alike! < 0.7, true);
});
