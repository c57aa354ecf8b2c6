import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  bestThresholds,
  judgeParts,
  partsOf,
  promisedThresholds,
} from "../../../src/core/evaluation/mod.ts";
import { promisedThreshold } from "../../../src/core/threshold/promise.ts";

const named = (scores: readonly number[]) =>
  partsOf(
    scores.map((score, i) => ({ name: `${i}`, score, highest: score * 2 })),
  );

const GOOD = Array.from({ length: 30 }, (_, i) => 1 + Math.sin(i) / 4);

Deno.test("partsOf() takes the worst image of a part", () => {
  const parts = partsOf([
    { name: "a_1", score: 1, highest: 5 },
    { name: "b_1", score: 3, highest: 2 },
    { name: "a_2", score: 2, highest: 4 },
  ], /^(.)_/);
  assertEquals(parts, [
    { names: ["a_1", "a_2"], score: 2, highest: 5 },
    { names: ["b_1"], score: 3, highest: 2 },
  ]);
});

Deno.test("promisedThresholds() goes by the rule of fit, for scores and maps", () => {
  const { change, odd } = promisedThresholds(named(GOOD), {
    falseAlarms: 0.1,
    uncertain: 0.3,
    isSquared: false,
  });
  assertEquals(odd, []);
  assertEquals(change.score, promisedThreshold(GOOD, 0.1)!.value);
  assertAlmostEquals(change.map!, 2 * change.score);
  assertEquals(change.uncertainFrom, promisedThreshold(GOOD, 0.3)!.value);
});

Deno.test("promisedThresholds() takes roots of squared distances", () => {
  const squared = promisedThresholds(named(GOOD.map((x) => x * x)), {
    falseAlarms: 0.02,
    isSquared: true,
  });
  const plain = promisedThresholds(named(GOOD), {
    falseAlarms: 0.02,
    isSquared: false,
  });
  assertAlmostEquals(squared.change.score, plain.change.score ** 2);
});

Deno.test("promisedThresholds() does not count an odd part, and names it", () => {
  const options = { falseAlarms: 0.05, isSquared: false };
  const with9 = promisedThresholds(named([...GOOD, 9]), options);
  const without = promisedThresholds(named(GOOD), options);
  assertEquals(with9.odd.map(({ score }) => score), [9]);
  assertEquals(with9.change.score, without.change.score);
});

Deno.test("promisedThresholds() refuses scores that are all alike", () => {
  assertThrows(
    () =>
      promisedThresholds(named([2, 2, 2]), {
        falseAlarms: 0.05,
        isSquared: false,
      }),
    RangeError,
    "more good parts",
  );
});

Deno.test("bestThresholds() lies halfway between the last bad score and the next below", () => {
  const { change } = bestThresholds(named([1, 2, 3]), named([4, 5]), {
    isSquared: false,
  });
  assertEquals([change.score, change.map], [3.5, 7]);
  assertEquals(change.rule?.["f1"], 1);
});

Deno.test.each([
  [[1, 2, 3], [1, 2, 3]],
  [[4, 5], [1, 2]],
  [[2, 2], [2]],
])(
  "bestThresholds() refuses good %j and bad %j, which scores do not tell apart",
  (good, bad) => {
    assertThrows(
      () => bestThresholds(named(good), named(bad), { isSquared: false }),
      RangeError,
      "the bad ones do not score higher",
    );
  },
);

Deno.test("bestThresholds() has none of maps where they do not tell parts apart", () => {
  const alike = (scores: readonly number[]) =>
    named(scores).map((part) => ({ ...part, highest: 7 }));
  const { change } = bestThresholds(alike([1, 2]), alike([3, 4]), {
    isSquared: false,
  });
  assertEquals([change.score, change.map, change.mapRule], [
    ...[2.5, undefined, undefined],
  ]);
});

Deno.test("judgeParts() counts verdicts with the interval of the right ones", () => {
  const limits = { score: 3, uncertainFrom: 2, map: 3 };
  const judged = judgeParts(named([1, 2, 3, 1]), "normal", limits);
  assertEquals([judged.normal, judged.uncertain, judged.anomalous], [2, 1, 1]);
  assertEquals(judged.right, 0.5);
  // Clopper and Pearson's interval of 2 of 4.
  assertAlmostEquals(judged.right_interval![0], 0.0676, 1e-4);
  assertEquals(judgeParts([], "normal", limits).right, null);
});
