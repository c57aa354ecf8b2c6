import { assert, assertEquals } from "@std/assert";
import { planIvfPq } from "../../../src/core/baselines/ivfpq_plan.ts";

Deno.test("planIvfPq() has fewer lists for small banks", () => {
  const plan = (rows: number, dim = 1024) => planIvfPq(rows, dim, {}, 2 ** 27);
  assertEquals([2000, 16_706, 200_000].map((rows) => plan(rows).lists), [
    51,
    428,
    512,
  ]);
  assertEquals([384, 448, 1024, 1536].map((dim) => plan(9999, dim).subs), [
    64,
    64,
    64,
    64,
  ]);
  assertEquals(plan(100, 136).subs, 8);
  assertEquals(plan(20).codewords, 20);
  assert(plan(200_000).indexBytes < 20e6);
});
