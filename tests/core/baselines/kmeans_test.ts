import { assertEquals } from "@std/assert";
import { sortCodes } from "../../../src/core/baselines/kmeans.ts";

Deno.test("sortCodes() fills empty codewords from the largest", () => {
  const codes = [0, 0, 2, 0, 0, 0];
  const plain = sortCodes(codes, 1, 3);
  assertEquals([...plain.order], [0, 1, 3, 4, 5, 2]);
  assertEquals([...plain.offsets], [0, 5, 5, 6]);
  const filled = sortCodes(codes, 1, 3, true);
  assertEquals([...filled.order], [0, 3, 5, 1, 4, 2]);
  assertEquals([...filled.offsets], [0, 3, 5, 6]);
});
