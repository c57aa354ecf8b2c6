import { assertAlmostEquals, assertEquals } from "@std/assert";
import { auroc, rocCurve } from "../../../src/core/metrics/roc.ts";
import { Mt19937 } from "../../../src/core/settings/random.ts";
import { aurocByDefinition } from "../../reference/pixel_metrics.ts";

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
