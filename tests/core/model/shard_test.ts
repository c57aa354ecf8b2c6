import { assertEquals } from "@std/assert";
import { parseShard, shardText } from "../../../src/core/model/shard.ts";

Deno.test("parseShard() reads one part and several", () => {
  assertEquals(parseShard("3/4"), { parts: [3], count: 4 });
  assertEquals(parseShard("1-3,5/8"), { parts: [1, 2, 3, 5], count: 8 });
});

Deno.test.each([
  ["0/4"],
  ["5/4"],
  ["2,1/4"],
  ["1,1/4"],
  ["3-2/4"],
  ["1-5/4"],
  ["1"],
  ["/4"],
  ["1/1000001"],
  ["1/4 "],
])("parseShard() reads nothing in %s", (text) => {
  assertEquals(parseShard(text), undefined);
});

Deno.test("shardText() writes what parseShard() reads", () => {
  for (const text of ["1/1", "2/4", "1-4/4", "1-3,5,7-8/9"]) {
    assertEquals(shardText(parseShard(text)!), text);
  }
  assertEquals(shardText({ parts: [4, 2, 3], count: 5 }), "2-4/5");
});
