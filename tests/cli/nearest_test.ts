import { assertEquals } from "@std/assert";
import { didYouMean, nearest } from "../../src/cli/nearest.ts";

const WORDS = [
  "fit",
  "predict",
  "evaluate",
  "demo",
  "weights",
  "info",
  "serve",
];

Deno.test.each([
  ["predcit", "predict"],
  ["pred", "predict"],
  ["evalute", "evaluate"],
  ["fti", "fit"],
  ["weigth", "weights"],
  ["x", undefined],
  ["train", undefined],
  ["", undefined],
])("nearest() understands %s as %s", (word, expected) => {
  assertEquals(nearest(word!, WORDS), expected);
});

Deno.test("nearest() completes a start only when it is unambiguous", () => {
  assertEquals(nearest("--ma", ["--maps", "--mask", "--model"]), undefined);
  assertEquals(nearest("--mo", ["--maps", "--mask", "--model"]), "--model");
});

Deno.test("didYouMean() is empty when no word is near", () => {
  assertEquals(didYouMean("dem", WORDS), '; did you mean "demo"?');
  assertEquals(didYouMean("zzz", WORDS), "");
});
