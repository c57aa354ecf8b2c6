import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { f1Max } from "../../../src/core/metrics/f1.ts";
import { imageMetrics } from "../../../src/core/metrics/image_metrics.ts";
import {
  averagePrecision,
  precisionRecallCurve,
} from "../../../src/core/metrics/pr.ts";
import { rankScores } from "../../../src/core/metrics/ranking.ts";
import { auroc, rocCurve } from "../../../src/core/metrics/roc.ts";
import { Mt19937 } from "../../../src/core/settings/random.ts";
import { aurocByDefinition } from "../../reference/pixel_metrics.ts";
import { goldenCases } from "./golden.ts";

for (const { name, scores, labels, expected } of goldenCases()) {
  Deno.test(`imageMetrics() equals scikit-learn on the case "${name}"`, () => {
    const result = imageMetrics(scores, labels);
    assertAlmostEquals(result.auroc, expected.image_auroc!, 1e-12);
    assertAlmostEquals(result.aupr, expected.image_aupr!, 1e-12);
    assertAlmostEquals(result.f1Max.f1, expected.image_f1max!, 1e-12);
    assertEquals(result.f1Max.threshold, expected.image_f1max_threshold);
    assertEquals(result.normal + result.anomalous, scores.length);
    assertEquals(auroc(scores, labels), result.auroc);
    assertEquals(averagePrecision(scores, labels), result.aupr);
    assertEquals(f1Max(scores, labels), result.f1Max);
  });
}

Deno.test("imageMetrics() is perfect when the classes are apart", () => {
  const result = imageMetrics([1, 5, 2, 7, 6], [0, 1, 0, 1, 1]);
  assertEquals(result, {
    auroc: 1,
    aupr: 1,
    f1Max: { f1: 1, threshold: 5, falsePositives: 0, falseNegatives: 0 },
    normal: 2,
    anomalous: 3,
  });
});

Deno.test("imageMetrics() gives AUROC ½ and the base rate when all scores tie", () => {
  const result = imageMetrics([3, 3, 3, 3], [true, false, false, false]);
  assertEquals(result.auroc, 0.5);
  assertEquals(result.aupr, 0.25);
  assertEquals(result.f1Max, {
    f1: 0.4,
    threshold: 3,
    falsePositives: 3,
    falseNegatives: 0,
  });
});

Deno.test("imageMetrics() is NaN where a class is missing", () => {
  const normal = imageMetrics([1, 2], [0, 0]);
  assertEquals([normal.auroc, normal.aupr, normal.f1Max.f1], [NaN, NaN, NaN]);
  assertEquals(normal.f1Max.threshold, NaN);
  const anomalous = imageMetrics([1, 2], [1, 1]);
  assertEquals([anomalous.auroc, anomalous.aupr], [NaN, 1]);
  assertEquals(imageMetrics([], []).auroc, NaN);
});

Deno.test("auroc() is the Mann–Whitney statistic of scores with ties", () => {
  const random = new Mt19937(4);
  const labels = Array.from(
    { length: 80 },
    () => random.below(3) === 0 ? 1 : 0,
  );
  const scores = labels.map((label) => random.below(9) + 2 * label);
  assertAlmostEquals(
    auroc(scores, labels),
    aurocByDefinition(scores, labels),
    1e-15,
  );
});

Deno.test("auroc() turns over when the scores are negated", () => {
  const random = new Mt19937(8);
  const scores = Float64Array.from({ length: 50 }, () => random.normal());
  const labels = scores.map(() => random.below(2));
  const negated = scores.map((score) => -score);
  assertAlmostEquals(auroc(negated, labels), 1 - auroc(scores, labels), 1e-15);
});

Deno.test("rocCurve() runs from (0, 0) to (1, 1) through every distinct score", () => {
  assertEquals(rocCurve([1, 2, 2, 3], [0, 0, 1, 1]), {
    falsePositiveRate: Float64Array.of(0, 0, 0.5, 1),
    truePositiveRate: Float64Array.of(0, 0.5, 1, 1),
    thresholds: Float64Array.of(Infinity, 3, 2, 1),
  });
});

Deno.test("precisionRecallCurve() gives scikit-learn's documented example", () => {
  assertEquals(precisionRecallCurve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]), {
    precision: Float64Array.of(0.5, 2 / 3, 0.5, 1, 1),
    recall: Float64Array.of(1, 1, 0.5, 0.5, 0),
    thresholds: Float64Array.of(0.1, 0.35, 0.4, 0.8),
  });
});

Deno.test("averagePrecision() gives scikit-learn's documented example", () => {
  assertAlmostEquals(
    averagePrecision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]),
    0.8333333333333333,
    1e-15,
  );
});

Deno.test("f1Max() takes the lowest of thresholds with equal F1", () => {
  // At 4: TP 1, FN 2 → F1 ½. At 2: TP 3, FP 6 → F1 ½ again.
  const scores = [4, 3, 3, 3, 3, 3, 3, 2, 2, 1];
  const labels = [1, 0, 0, 0, 0, 0, 0, 1, 1, 0];
  assertEquals(f1Max(scores, labels), {
    f1: 0.5,
    threshold: 2,
    falsePositives: 6,
    falseNegatives: 0,
  });
});

Deno.test("f1Max() counts the misclassified samples at or above its threshold", () => {
  const scores = [9, 8, 7, 6, 5, 4, 3, 2, 1];
  const labels = [1, 1, 0, 1, 0, 0, 0, 0, 1];
  const best = f1Max(scores, labels);
  assertEquals(best.threshold, 6);
  assertEquals(best.falsePositives, 1);
  assertEquals(best.falseNegatives, 1);
  assertEquals(best.f1, 6 / 8);
});

Deno.test("rankScores() treats −0 and 0 as one score", () => {
  assertEquals(rankScores([0, -0, 1], [1, 0, 0]), [
    { score: 1, positives: 0, negatives: 1 },
    { score: 0, positives: 1, negatives: 1 },
  ]);
});

Deno.test("rankScores() refuses NaN and unequal lengths", () => {
  assertThrows(
    () => rankScores([1, NaN], [0, 1]),
    RangeError,
    "score 1 is NaN",
  );
  assertThrows(
    () => rankScores([1, 2], [0]),
    RangeError,
    "there are 2 scores and 1 labels",
  );
});
