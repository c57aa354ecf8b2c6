import { assertEquals } from "@std/assert";
import type { StoredModel } from "../../../src/core/model/stored_model.ts";
import { resolveSettings } from "../../../src/core/settings/resolve_settings.ts";
import {
  scoresOf,
  thresholdOf,
  thresholdsOf,
} from "../../../src/core/threshold/calibrate.ts";

const SETTINGS = resolveSettings({
  threshold: { quantile: 1, factor: 3, mapQuantile: 0.5 },
});
const NONE = { scores: [], maxima: [] };

/** A model whose rule of the map threshold is changed. */
function earlier(
  trainScores: number[],
  rule: Readonly<Record<string, unknown>> = {},
): StoredModel {
  return {
    trainScores: Float32Array.from(trainScores),
    mapThreshold: { value: 8, rule: { quantile: 0.5, factor: 2, ...rule } },
  } as Partial<StoredModel> as StoredModel;
}

Deno.test("thresholdOf() takes the quantile of the scores that are numbers", () => {
  const scores = [3, NaN, 1, 2, Infinity, 5];
  assertEquals(thresholdOf(scores, { quantile: 1, factor: 1 }), {
    value: 5,
    images: 4,
  });
  assertEquals(thresholdOf(scores, { quantile: 1, factor: 1.5 }).value, 7.5);
  assertEquals(thresholdOf(scores, { quantile: 0.5, factor: 1 }).value, 2.5);
  assertEquals(thresholdOf(scores, { quantile: 0, factor: 2 }).value, 2);
  assertEquals(thresholdOf([NaN], { quantile: 1, factor: 1 }), {
    value: undefined,
    images: 0,
  });
});

Deno.test("scoresOf() has NaN where a score is not known", () => {
  const scores = [{ image: 3, score: 0 }, { image: 2, score: 7 }];
  const all = scoresOf({ scores, maxima: [] }, 5, Float32Array.of(4, NaN));
  assertEquals(all, Float32Array.of(4, NaN, 7, 0, NaN));
});

Deno.test("thresholdsOf() counts missing maxima as small ones", () => {
  const scores = [5, 6, 7].map((score, image) => ({ image, score }));
  const rules = thresholdsOf({ scores, maxima: [4, 3] }, SETTINGS, {
    drawnFrom: 9,
  });
  const rule = { images: 3, factor: 3, drawn_from: 9 };
  assertEquals(rules.threshold, {
    value: 21,
    rule: { scores: "leave-one-image-out", quantile: 1, ...rule },
  });
  assertEquals(rules.mapThreshold, {
    value: 9,
    rule: {
      scores: "leave-one-image-out map maxima",
      quantile: 0.5,
      ...rule,
    },
  });
  assertEquals(thresholdsOf(NONE, SETTINGS), {});
});

Deno.test("thresholdsOf() takes a score of 0 for one, NaN for none", () => {
  const scored = thresholdsOf(NONE, {
    ...SETTINGS,
    threshold: { ...SETTINGS.threshold, quantile: 0.5 },
  }, { earlier: [earlier([0, 0, NaN, 9, NaN])] });
  assertEquals(scored.threshold!.value, 0);
  assertEquals(scored.threshold!.rule["scored_before"], 3);
});

Deno.test("thresholdsOf() takes the highest map threshold, its factor exchanged", () => {
  const models = [earlier([1], { factor: 4 }), earlier([2])];
  const { mapThreshold } = thresholdsOf(NONE, SETTINGS, { earlier: models });
  assertEquals(mapThreshold!.value, 8 / 2 * 3);
});

for (
  const rule of [
    { factor: undefined },
    { factor: "much" },
    { factor: NaN },
    { factor: 0 },
    { factor: -1 },
    { quantile: 0.9 },
  ]
) {
  Deno.test(`thresholdsOf() leaves a map threshold out whose rule says ${JSON.stringify(rule)}`, () => {
    const foreign = earlier([1], rule);
    const of = (...models: StoredModel[]) =>
      thresholdsOf(NONE, SETTINGS, { earlier: models }).mapThreshold?.value;
    assertEquals(of(foreign), undefined);
    assertEquals(of(foreign, earlier([2])), 12);
  });
}
