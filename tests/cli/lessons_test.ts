import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { lessonLines, promiseLine } from "../../src/cli/lessons.ts";
import { expectedFalseAlarms } from "../../src/core/threshold/promise.ts";
import type { Lessons } from "../../src/core/threshold/lessons.ts";

const LESSONS: Lessons = {
  scored: 40,
  spread: { low: 1, median: 2, high: 3, largest: 4 },
  source: "training images",
  falseAlarms: undefined,
  oddest: [],
  odd: 0,
  oddAreCounted: false,
  secondKind: false,
  alike: undefined,
};

const oddest = (counts: boolean): Lessons["oddest"][number] => ({
  ...{ place: 0, name: "a.png", score: 9, isOdd: true, counts, otherwise: 5 },
});

Deno.test("promiseLine() writes shares that are nearly none as that", () => {
  const [low, high] = expectedFalseAlarms(3, 0.01);
  assert(low < 1e-5);
  const line = promiseLine({
    ...{ rate: 0.01, low, high, scores: 3, isExtrapolated: true },
  }, "good parts");
  assertEquals(
    line,
    `Promised: 1 % of good parts will be called anomalous; with 3 good parts that can be below 0.1 % to ${
      Number((100 * high).toPrecision(2))
    } %, as 3 are too few to count so small a share (99 are needed): it follows from a tail fitted to their largest scores`,
  );
});

Deno.test("promiseLine() tells small shares apart from a smaller rate", () => {
  const line = promiseLine({
    ...{ rate: 0.001, low: 0.0004, high: 0.002, scores: 2000 },
    isExtrapolated: false,
  }, "training images");
  assertEquals(
    line,
    "Promised: 0.1 % of good parts will be called anomalous; with 2000 training images that can be 0.04 % to 0.2 %",
  );
});

Deno.test("lessonLines() says of odd images whether they count", () => {
  const left = { ...LESSONS, odd: 1, oddest: [oddest(false)] };
  const without = lessonLines(left).join("\n");
  assertStringIncludes(without, "for the threshold it does not count");
  assertStringIncludes(
    without,
    "a.png does not count; with it the threshold would be 5.000",
  );
  const counted = lessonLines({
    ...{ ...left, oddAreCounted: true, oddest: [oddest(true)] },
  }).join("\n");
  assert(!counted.includes("not count"));
  assertStringIncludes(
    counted,
    "the threshold is a quantile of all images, these included",
  );
  assertStringIncludes(
    counted,
    "a.png looks unlike the others; without it the threshold would be 5.000",
  );
});

Deno.test("lessonLines() tells of a second kind of parts", () => {
  const told = lessonLines({ ...LESSONS, secondKind: true }).join("\n");
  assertStringIncludes(told, "a second kind of parts");
  assert(!lessonLines(LESSONS).join("\n").includes("second kind"));
});

Deno.test("lessonLines() says where a threshold comes from that is none of the fit", () => {
  const lines = (source: Lessons["source"]) =>
    lessonLines({ ...LESSONS, source, alike: 30 }).join("\n");
  assertStringIncludes(lines("none"), "was set by hand");
  assertStringIncludes(lines("good parts"), "comes from good parts");
  assertStringIncludes(lines("good and bad parts"), "best F1");
  assertStringIncludes(lines("training images"), "--group-by");
  assert(!lines("good parts").includes("--group-by"));
  assert(!lines("training images").includes("The threshold"));
});
