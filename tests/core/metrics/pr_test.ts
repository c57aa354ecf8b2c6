import { assertAlmostEquals } from "@std/assert";
import { PrecisionSum } from "../../../src/core/metrics/pr.ts";

Deno.test("PrecisionSum gives scikit-learn's documented example", () => {
  // y_true [0, 0, 1, 1], y_score [0.1, 0.4, 0.35, 0.8]
  const sum = new PrecisionSum();
  for (const anomalous of [1, 0, 1, 0]) sum.add(anomalous, 1 - anomalous);
  assertAlmostEquals(sum.value, 0.8333333333333333, 1e-15);
});
