import { assertEquals } from "@std/assert";
import { imageMetrics } from "../../../src/core/metrics/image_metrics.ts";

Deno.test("F1Search takes the lowest of thresholds with equal F1", () => {
  // At 4: TP 1, FN 2 → F1 ½. At 2: TP 3, FP 6 → F1 ½ again.
  const scores = [4, 3, 3, 3, 3, 3, 3, 2, 2, 1];
  const labels = [1, 0, 0, 0, 0, 0, 0, 1, 1, 0];
  assertEquals(imageMetrics(scores, labels).f1Max, {
    f1: 0.5,
    threshold: 2,
    falsePositives: 6,
    falseNegatives: 0,
  });
});

Deno.test("F1Search counts the misclassified samples at or above its threshold", () => {
  const scores = [9, 8, 7, 6, 5, 4, 3, 2, 1];
  const labels = [1, 1, 0, 1, 0, 0, 0, 0, 1];
  const best = imageMetrics(scores, labels).f1Max;
  assertEquals(best.threshold, 6);
  assertEquals(best.falsePositives, 1);
  assertEquals(best.falseNegatives, 1);
  assertEquals(best.f1, 6 / 8);
});
