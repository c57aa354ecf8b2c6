import { assertEquals, assertStringIncludes } from "@std/assert";
import { TuningFile, tuningStore } from "../../src/cli/tuning_store.ts";
import { FakeTerminal } from "./fake_terminal.ts";

/** A folder for one test, and the file that is to lie in it. */
async function withFile(
  fn: (path: string, fake: FakeTerminal) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await fn(`${folder}/patchcore/tuning.json`, new FakeTerminal());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("TuningFile gives back what was saved, by adapter", () =>
  withFile(async (path, { terminal }) => {
    const file = new TuningFile(path, terminal);
    assertEquals(await file.load("GPU"), {});
    await file.save("GPU", { a: "direct" });
    await file.save("other GPU", { a: "shared" });
    await file.save("GPU", { b: "shared 2" });
    const again = new TuningFile(path, terminal);
    assertEquals(await again.load("GPU"), { a: "direct", b: "shared 2" });
    assertEquals(await again.load("other GPU"), { a: "shared" });
    const folder = path.replace(/[^/]*$/, "");
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assertEquals(names, ["tuning.json"]);
  }));

Deno.test("TuningFile drops what other versions have chosen", () =>
  withFile(async (path, { terminal }) => {
    await Deno.mkdir(path.replace(/[^/]*$/, ""));
    await Deno.writeTextFile(path, `{"0.0.1 Deno 1: GPU": {"a": "direct"}}`);
    const file = new TuningFile(path, terminal);
    assertEquals(await file.load("GPU"), {});
    await file.save("GPU", { b: "direct" });
    assertEquals((await Deno.readTextFile(path)).includes("0.0.1"), false);
  }));

Deno.test.each([
  "",
  "{",
  "[]",
  `{"x": 1}`,
  `{"x": {"y": 1}}`,
  "\0\xff",
])(
  "TuningFile tells of a damaged file %j and replaces it",
  (text) =>
    withFile(async (path, fake) => {
      await Deno.mkdir(path.replace(/[^/]*$/, ""));
      await Deno.writeTextFile(path, text);
      const file = new TuningFile(path, fake.terminal);
      assertEquals(await file.load("GPU"), {});
      assertStringIncludes(fake.stderr, `"${path}" are not usable`);
      await file.save("GPU", { a: "direct" });
      const calm = new FakeTerminal();
      const choices = await new TuningFile(path, calm.terminal).load("GPU");
      assertEquals(choices, { a: "direct" });
      assertEquals(calm.stderr, "");
    }),
);

Deno.test("TuningFile goes on where nothing can be written", () =>
  withFile(async (path, fake) => {
    await Deno.writeTextFile(path.replace(/\/[^/]*$/, ""), "no folder");
    await new TuningFile(path, fake.terminal).save("GPU", { a: "direct" });
    assertStringIncludes(fake.stderr, "measured again next time");
  }));

Deno.test("tuningStore() keeps nothing with --no-autotune", () => {
  const { terminal } = new FakeTerminal();
  assertEquals(tuningStore(true, terminal), {});
});
