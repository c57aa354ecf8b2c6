import { assert, assertEquals } from "@std/assert";
import { foldsByName, foldsOf } from "../../../src/core/threshold/folds.ts";

Deno.test("foldsOf() keeps the images of a group together when parts have several shots", () => {
  const groups = Array.from({ length: 180 }, (_, i) => `part${i % 90}`);
  const { folds, count } = foldsOf(groups, 3);
  assertEquals(count, 20);
  for (let i = 0; i < 90; i++) assertEquals(folds[i], folds[i + 90]);
  const sizes = new Array(count).fill(0);
  for (const fold of folds) sizes[fold]++;
  assertEquals(Math.min(...sizes), 8);
  assertEquals(Math.max(...sizes), 10);
});

Deno.test("foldsOf() gives every group a fold of its own when there are few", () => {
  const { folds, count } = foldsOf([..."abca"], 0);
  assertEquals(count, 3);
  assertEquals(folds[0], folds[3]);
  assertEquals(new Set(folds).size, 3);
  assertEquals(
    foldsOf(Array.from({ length: 50 }).map((_, i) => i), 0).count,
    50,
  );
  assertEquals(
    foldsOf(Array.from({ length: 51 }).map((_, i) => i), 0).count,
    20,
  );
  assertEquals(foldsOf(["a", "a"], 0).count, 1);
});

Deno.test("foldsOf() draws other folds when the seed is another one", () => {
  const groups = Array.from({ length: 100 }, (_, i) => i);
  const one = foldsOf(groups, 1).folds;
  assertEquals(foldsOf(groups, 1).folds, one);
  assert(one.some((fold, i) => foldsOf(groups, 2).folds[i] !== fold));
  assert(one.some((fold, i) => fold !== i % 20));
});

Deno.test("foldsByName() puts all views of an image into its fold", () => {
  const names = ["a1", "a2", "b1"];
  const plain = foldsByName(names, 3);
  const viewed = foldsByName(names, 3, { views: 4 });
  assertEquals(viewed.count, plain.count);
  assertEquals(
    [...viewed.folds],
    [...plain.folds].flatMap((fold) => [fold, fold, fold, fold]),
  );
  const { folds, count } = foldsByName(names, 3, {
    views: 2,
    groupBy: /^[a-z]/,
  });
  assertEquals(count, 2);
  assertEquals(new Set(folds.slice(0, 4)).size, 1);
});
