import { assert, assertEquals } from "@std/assert";
import { Garbage } from "../../../src/cli/serve/garbage.ts";

Deno.test("Garbage collects after every so many requests", () => {
  let collected = 0;
  const garbage = new Garbage(3, () => collected++);
  for (let i = 0; i < 8; i++) garbage.add();
  assertEquals(collected, 2);
});

Deno.test("Garbage has V8 free what nobody holds", async () => {
  const garbage = new Garbage(1);
  const refs = Array.from({ length: 10 }, () => new WeakRef({ big: [1, 2] }));
  // A WeakRef keeps its target for the turn that made it.
  await new Promise((resolve) => setTimeout(resolve, 0));
  garbage.add();
  assert(refs.some((ref) => ref.deref() === undefined));
});
