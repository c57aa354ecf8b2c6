import { assertMatch } from "@std/assert";
import { whyNoThreshold } from "../../src/cli/no_threshold.ts";

Deno.test.each<[number[], RegExp]>([
  [[], /two parts at least/],
  [[NaN], /two parts at least/],
  [[NaN, 3, NaN], /two parts at least/],
  [[2, 2, NaN, 2], /all 3 of its training images.* the same score/],
  [[0, 0], /all 2 .* the same score/],
  [[1, 2, 5, 5], /share the highest score/],
])(
  "whyNoThreshold() says of scores %j what is wrong with them",
  (scores, why) => {
    assertMatch(whyNoThreshold(scores), why);
  },
);
