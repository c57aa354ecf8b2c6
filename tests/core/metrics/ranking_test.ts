import { assertEquals, assertThrows } from "@std/assert";
import { rankScores } from "../../../src/core/metrics/ranking.ts";

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
