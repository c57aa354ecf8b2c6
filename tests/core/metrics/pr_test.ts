import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  averagePrecision,
  precisionRecallCurve,
} from "../../../src/core/metrics/pr.ts";

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
