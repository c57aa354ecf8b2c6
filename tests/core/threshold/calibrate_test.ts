import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { resolveSettings } from "../../../src/core/settings/resolve_settings.ts";
import type { ThresholdSettings } from "../../../src/core/settings/settings.ts";
import {
  findable,
  recordOf,
  thresholdOf,
  thresholdsOf,
} from "../../../src/core/threshold/calibrate.ts";
import { promisedThreshold } from "../../../src/core/threshold/promise.ts";

const settings = (threshold: Partial<ThresholdSettings> = {}) =>
  resolveSettings({ threshold });

const floats = (...values: number[]) => Float32Array.from(values);

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

Deno.test("recordOf() has NaN where a score is not known", () => {
  const found = [
    { place: 3, score: 0, maximum: 1 },
    { place: 2, score: 7, maximum: 8 },
  ];
  const earlier = { scores: floats(4, NaN), maxima: floats(5, NaN) };
  assertEquals(recordOf(found, 5, { earlier }), {
    scores: floats(4, NaN, 7, 0, NaN),
    maxima: floats(5, NaN, 8, 1, NaN),
  });
  const viewed = found.map((one) => ({ ...one, place: 4 * one.place }));
  assertEquals(
    recordOf(viewed, 5, { earlier, views: 4 }),
    recordOf(found, 5, { earlier }),
  );
});

Deno.test("recordOf() takes the worst view of an image, whatever their order", () => {
  const found = [
    { place: 3, score: 2, maximum: 9 },
    { place: 5, score: 5, maximum: 1 },
    { place: 4, score: 4, maximum: 3 },
    { place: 7, score: 1, maximum: 2 },
  ];
  assertEquals(recordOf(found, 3, { views: 3 }), {
    scores: floats(NaN, 5, 1),
    maxima: floats(NaN, 9, 2),
  });
});

Deno.test("recordOf() takes the largest patches of all tiles where they share a score", () => {
  const found = [
    { place: 3, score: 5, maximum: 9, largest: [6, 4, 1] },
    { place: 2, score: 6, maximum: 8, largest: [9, 3, 2] },
    { place: 1, score: 1, maximum: 1, largest: [1, 1, 1] },
  ];
  assertEquals(recordOf(found, 2, { views: 2, top: 3 }), {
    scores: floats(1, (9 + 6 + 4) / 3),
    maxima: floats(1, 9),
  });
});

Deno.test("findable() takes the second pick where the first is of the patch's own fold", () => {
  const near = {
    rows: Uint32Array.of(0, 1, 0, 1),
    others: Uint32Array.of(1, 0, 1, 0xffffffff),
  };
  const found = findable(near, [5, 6], [5, 6], 2);
  assertEquals([...found], [1, 1, 0, 0xffffffff]);
});

Deno.test("thresholdsOf() keeps the promise for scores and maps alike", () => {
  const scores = Float32Array.from({ length: 40 }, (_, i) => 1 + i / 100);
  const maxima = scores.map((x) => 2 * x);
  const record = {
    scores: floats(...scores, NaN),
    maxima: floats(...maxima, NaN),
  };
  const { threshold, mapThreshold, odd } = thresholdsOf(record, settings(), {
    folds: { folds: new Uint32Array(41), count: 20, groupBy: "part" },
    drawnFrom: 41,
  });
  const expected = promisedThreshold(scores, 0.05)!;
  assertEquals(odd, []);
  assertAlmostEquals(threshold!.value, expected.value, 1e-6);
  assertAlmostEquals(mapThreshold!.value, 2 * expected.value, 1e-5);
  const { rule } = threshold!;
  assertEquals([rule["rule"], rule["images"], rule["false_alarms"]], [
    ...["order statistic", 40, 0.05],
  ]);
  assertEquals([rule["folds"], rule["group_by"], rule["drawn_from"]], [
    ...[20, "part", 41],
  ]);
  const [low, high] = rule["expected_false_alarms"] as [number, number];
  assert(low < 0.05 && 0.05 < high);
});

Deno.test("thresholdsOf() makes thresholds of squared distances as of distances", () => {
  const scores = Float32Array.from({ length: 12 }, (_, i) => 3 + i / 7);
  const record = { scores, maxima: scores };
  const squared = {
    scores: scores.map((x) => x * x),
    maxima: scores.map((x) => x * x),
  };
  const plain = thresholdsOf(record, settings()).threshold!.value;
  const { threshold } = thresholdsOf(squared, {
    ...settings(),
    distance: "squared",
  });
  assertAlmostEquals(Math.sqrt(threshold!.value), plain, 1e-6);
});

Deno.test("thresholdsOf() leaves odd images out of the promise, not out of a quantile", () => {
  const scores = Float32Array.from({ length: 60 }, (_, i) => 1 + i / 300);
  scores[7] = 9;
  const maxima = scores.map((x, i) => i === 7 ? 1.1 : x);
  const record = { scores, maxima };
  const { threshold, mapThreshold, odd } = thresholdsOf(record, settings());
  assertEquals(odd, [7]);
  assertEquals(threshold!.rule["odd_images"], [7]);
  assertEquals([threshold!.rule["images"], mapThreshold!.rule["images"]], [
    ...[59, 59],
  ]);
  assert(threshold!.value < 1.3);
  const old = thresholdsOf(record, settings({ quantile: 1, factor: 2 }));
  assertEquals(old.threshold!.value, 18);
  assertEquals(old.threshold!.rule["rule"], "quantile");
});

Deno.test("thresholdsOf() has none where no two scores differ", () => {
  const none = { odd: [], secondKind: false };
  for (const scores of [floats(), floats(NaN), floats(2), floats(0, 0, 0)]) {
    assertEquals(thresholdsOf({ scores, maxima: scores }, settings()), none);
  }
});
