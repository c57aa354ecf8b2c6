import { assertAlmostEquals, assertEquals } from "@std/assert";
import { imageMetrics } from "../../../src/core/metrics/image_metrics.ts";
import { auroc } from "../../../src/core/metrics/roc.ts";
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
