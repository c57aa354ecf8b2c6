import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  limitsOf,
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
  const joint = { ...MODEL, threshold: { value: -0.5, rule: {} } };
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

Deno.test("withThresholds() refuses an empty band and what is no number", () => {
  assertThrows(
    () => withThresholds(MODEL, { score: 2, uncertainFrom: 2 }),
    RangeError,
    "uncertain from 2 to 2",
  );
  assertThrows(() => withThresholds(MODEL, { score: NaN }), RangeError, "NaN");
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
