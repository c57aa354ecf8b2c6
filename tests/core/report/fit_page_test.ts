import { assert, assertStringIncludes } from "@std/assert";
import {
  type FitFacts,
  renderFitReport,
} from "../../../src/core/report/mod.ts";
import type { Lessons } from "../../../src/core/threshold/lessons.ts";

const LESSONS: Lessons = {
  scored: 3,
  spread: { low: 1, median: 2, high: 3, largest: 3 },
  source: "training images",
  falseAlarms: undefined,
  oddest: [],
  odd: 0,
  oddAreCounted: false,
  secondKind: false,
  alike: undefined,
};

function page(facts: Partial<FitFacts> = {}): Promise<string> {
  return renderFitReport({
    title: "Fit of m",
    facts: [["Model", "m"]],
    settings: {},
    lines: ["They say <this>"],
    lessons: LESSONS,
    distances: [1, 2, 3],
    threshold: 3,
    readTraining: () => Promise.resolve(undefined),
    ...facts,
  });
}

Deno.test("renderFitReport() says how the threshold came about", async () => {
  const quantile = await page();
  assertStringIncludes(quantile, "The threshold is a quantile");
  assertStringIncludes(quantile, "They say &#60;this&#62;");
  const tail = await page({ tail: { from: 2, scale: 1, share: 0.5 } });
  assertStringIncludes(tail, "exponential tail that the threshold was set by");
  const none = await page({ threshold: NaN, distances: [] });
  assertStringIncludes(none, "There is no threshold");
  assert(!none.includes("a quantile"));
});

Deno.test("renderFitReport() says of odd images whether they count", async () => {
  const of = (counts: boolean) =>
    page({
      lessons: {
        ...LESSONS,
        oddest: [{
          ...{ place: 0, name: "a.png", score: 9, isOdd: true, counts },
          otherwise: 4,
        }],
      },
    });
  const left = await of(false);
  assertStringIncludes(left, "does not count");
  assertStringIncludes(left, "with it the threshold would be 4.000");
  const counted = await of(true);
  assertStringIncludes(counted, "unlike the others");
  assertStringIncludes(counted, "without it the threshold would be 4.000");
  assert(!counted.includes("does not count"));
});
