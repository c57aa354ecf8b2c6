import { assert, assertEquals, assertThrows } from "@std/assert";
import { MUTATIONS } from "./mutation_list.ts";
import { mutate } from "./mutations.ts";

Deno.test("mutate() replaces what is there once, and refuses the rest", () => {
  const fault = { file: "a.ts", find: "a < b", replace: "$& a" };
  assertEquals(mutate("if (a < b) x();", fault), "if ($& a) x();");
  assertThrows(() => mutate("if (a > b) x();", fault), Error, "0 times");
  assertThrows(() => mutate("a < b; a < b", fault), Error, "2 times");
});

Deno.test("MUTATIONS are 41, each in a place of its own that is there", async () => {
  assertEquals(MUTATIONS.length, 41);
  const root = new URL("..", import.meta.url);
  const files = new Set(MUTATIONS.map(({ file }) => file));
  assertEquals(files.size, MUTATIONS.length);
  for (const mutation of MUTATIONS) {
    const text = await Deno.readTextFile(new URL(mutation.file, root));
    assert(mutate(text, mutation) !== text, mutation.file);
    for (const test of mutation.tests) {
      assert((await Deno.stat(new URL(test, root))).isFile, test);
    }
  }
});
