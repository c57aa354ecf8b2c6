import { assertAlmostEquals, assertThrows } from "@std/assert";
import { shareInterval } from "../../../src/core/metrics/interval.ts";

Deno.test("shareInterval() agrees with SciPy's binomtest when counts are none, some and all", () => {
  for (
    const [hits, trials, low, high] of [
      [0, 60, 0, 0.05962949228633472],
      [4, 60, 0.018461777575881164, 0.16198675519767744],
      [36, 40, 0.7633626001240518, 0.9720745847057807],
      [40, 40, 0.9119026971211966, 1],
      [1, 1, 0.025, 1],
      [0, 0, 0, 1],
    ] as const
  ) {
    const [from, to] = shareInterval(hits, trials);
    assertAlmostEquals(from, low, 1e-11);
    assertAlmostEquals(to, high, 1e-11);
  }
});

Deno.test("shareInterval() refuses when there are more hits than trials", () => {
  assertThrows(() => shareInterval(3, 2), RangeError, "3 of 2");
  assertThrows(() => shareInterval(0.5, 2), RangeError, "0.5 of 2");
});
