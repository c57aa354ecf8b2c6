import { assertEquals } from "@std/assert";
import {
  reshapedView,
  sameView,
  slicedView,
  transposedView,
  type View,
  wholeView,
} from "../../../src/nn/transformer/view.ts";

/** Elements of a view of 0, 1, 2, …, in order. */
function elements({ shape, strides, offset }: View): number[] {
  let list = [offset];
  shape.forEach((extent, axis) => {
    list = list.flatMap((at) =>
      Array.from({ length: extent }, (_, i) => at + i * strides[axis]!)
    );
  });
  return list;
}

const WHOLE = wholeView([1, 4, 6]);

Deno.test("wholeView() is all elements in order", () => {
  assertEquals(elements(WHOLE), Array.from({ length: 24 }, (_, i) => i));
});

Deno.test("slicedView() takes every other element from a start", () => {
  const view = slicedView(WHOLE, 2, { start: 1, step: 2, count: 2 });
  assertEquals(view.shape, [1, 4, 2]);
  assertEquals(elements(view), [1, 3, 7, 9, 13, 15, 19, 21]);
});

Deno.test("transposedView() and reshapedView() divide rows into heads", () => {
  // [1, T, 2 heads, 3] → [1, 2 heads, T, 3]
  const parts = reshapedView(WHOLE, [1, 4, 2, 3])!;
  const heads = transposedView(parts, [0, 2, 1, 3]);
  assertEquals(heads.shape, [1, 2, 4, 3]);
  assertEquals(elements(heads).slice(0, 6), [0, 1, 2, 6, 7, 8]);
  const back = reshapedView(transposedView(heads, [0, 2, 1, 3]), [4, 6])!;
  assertEquals(
    sameView({ ...WHOLE, shape: [4, 6], strides: [6, 1] }, back),
    true,
  );
});

Deno.test("reshapedView() moves axes of one element anywhere", () => {
  const row = slicedView(WHOLE, 1, { start: 2, count: 1 });
  for (const shape of [[6], [1, 6], [6, 1], [1, 2, 1, 3, 1]]) {
    assertEquals(elements(reshapedView(row, shape)!), [12, 13, 14, 15, 16, 17]);
  }
});

Deno.test("reshapedView() says where no strides do", () => {
  const turned = transposedView(WHOLE, [0, 2, 1]);
  assertEquals(reshapedView(turned, [24]), undefined);
  assertEquals(reshapedView(turned, [1, 6, 4])?.shape, [1, 6, 4]);
  const narrow = slicedView(WHOLE, 2, { start: 0, count: 3 });
  assertEquals(reshapedView(narrow, [12]), undefined);
});

Deno.test("sameView() looks at elements, and at their order", () => {
  assertEquals(sameView(WHOLE, wholeView([1, 4, 6])), true);
  assertEquals(sameView(WHOLE, transposedView(WHOLE, [0, 2, 1])), false);
  assertEquals(sameView(WHOLE, { ...WHOLE, offset: 1 }), false);
});
