import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  limitsOf,
  type StoredThresholds,
  type ThresholdChange,
  withThresholds,
} from "../../../src/core/model/thresholds.ts";
import { judge, mapDisagrees } from "../../../src/core/score/verdict.ts";

const MODEL = {
  name: "kept",
  threshold: { value: 2, rule: {} },
  mapThreshold: { value: 3, rule: {} },
};

Deno.test("withThresholds() moves the maps' threshold in the same ratio unless it is given", () => {
  const moved = withThresholds(MODEL, { score: 3 });
  assertEquals(limitsOf(moved), { score: 3, uncertainFrom: null, map: 4.5 });
  assertEquals(moved.name, "kept");
  const given = withThresholds(MODEL, { score: 3, map: 1, uncertainFrom: 2 });
  assertEquals(limitsOf(given), { score: 3, uncertainFrom: 2, map: 1 });
});

Deno.test("withThresholds() moves it by the same amount where joint scores are negative", () => {
  const joint = {
    ...{ ...MODEL, members: [] },
    threshold: { value: -0.5, rule: {} },
  };
  const { mapThreshold } = withThresholds(joint, { score: 0.25 });
  assertAlmostEquals(mapThreshold.value, 3.75);
});

Deno.test("withThresholds() gives one to a model that has none", () => {
  const none: { readonly threshold?: typeof MODEL.threshold } = {};
  assertEquals(limitsOf(none), { score: null, uncertainFrom: null, map: null });
  assertEquals(limitsOf(withThresholds(none, { score: 4 })), {
    ...{ score: 4, uncertainFrom: null, map: 4 },
  });
});

Deno.test("withThresholds() keeps how training images were grouped", () => {
  const grouped: StoredThresholds = {
    threshold: { value: 2, rule: { group_by: "(.*)_" } },
  };
  const set = withThresholds(grouped, { score: 3 });
  assertEquals(set.threshold?.rule, {
    group_by: "(.*)_",
    scores: "none: set by hand",
  });
  const rule = { scores: "held-out good parts" };
  const found = withThresholds(set, { score: 4, rule });
  assertEquals(found.threshold?.rule, { group_by: "(.*)_", ...rule });
});

Deno.test("withThresholds() refuses an empty band and what is no number", () => {
  assertThrows(
    () => withThresholds(MODEL, { score: 2, uncertainFrom: 2 }),
    RangeError,
    "uncertain from 2 to 2",
  );
  for (const score of [NaN, Infinity]) {
    assertThrows(
      () => withThresholds(MODEL, { score }),
      RangeError,
      `Cannot use ${score} as a threshold`,
    );
  }
});

Deno.test.each<[ThresholdChange]>([
  [{ score: 0 }],
  [{ score: -1 }],
  [{ score: 2, uncertainFrom: 0 }],
  [{ score: 2, uncertainFrom: -1 }],
  [{ score: 2, map: 0 }],
  [{ score: 2, map: -3 }],
])("withThresholds() refuses %j for distances", (change) => {
  assertThrows(
    () => withThresholds(MODEL, change),
    RangeError,
    "as a threshold: expected a finite number above 0",
  );
});

Deno.test("withThresholds() takes what is not above 0 for joint scores", () => {
  const joint = { ...MODEL, members: [] };
  const change = { score: 0, uncertainFrom: -1, map: -2 };
  assertEquals(limitsOf(withThresholds(joint, change)), change);
});

Deno.test("withThresholds() refuses to move the maps' threshold to where it means nothing", () => {
  const zero = { ...MODEL, threshold: { value: 0, rule: {} } };
  assertThrows(
    () => withThresholds(zero, { score: 3 }),
    RangeError,
    "from 0 to 3: that gives Infinity",
  );
  assertThrows(
    () => withThresholds(MODEL, { score: 1.7e308 }),
    RangeError,
    "that gives Infinity",
  );
  assertEquals(limitsOf(withThresholds(zero, { score: 3, map: 5 })).map, 5);
});

Deno.test("judge() labels by the limits and relates the score to the upper one", () => {
  const band = { score: 4, uncertainFrom: 2, map: null };
  assertEquals(
    [1, 2, 4].map((score) => judge(score, band)),
    [
      { label: "normal", normalizedScore: 0.25 },
      { label: "uncertain", normalizedScore: 0.5 },
      { label: "anomalous", normalizedScore: 1 },
    ],
  );
  const none = { score: null, uncertainFrom: null, map: null };
  assertEquals(judge(9, none), { label: null, normalizedScore: null });
  assertThrows(() => judge(NaN, none), RangeError, "NaN");
});

Deno.test("mapDisagrees() tells maps that contradict a verdict", () => {
  const of = (label: "normal" | "anomalous" | "uncertain", highest: number) =>
    mapDisagrees({ label, highest, threshold: 3 });
  assertEquals([of("normal", 3), of("anomalous", 2.9)], [true, true]);
  assertEquals([of("normal", 2.9), of("anomalous", 3)], [false, false]);
  assertEquals([of("uncertain", 9), of("uncertain", 0)], [false, false]);
});
