import { assertEquals } from "@std/assert";
import { f1Max } from "../../../src/core/metrics/f1.ts";

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
