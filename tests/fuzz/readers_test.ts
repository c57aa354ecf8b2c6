import { assert, assertEquals, assertRejects } from "@std/assert";
import { Chance, changed, damaged } from "./damage.ts";
import { fuzz, rawness } from "./fuzz.ts";
import { readersIn } from "./readers.ts";

/** Inputs for each reader; the slower ones get fewer. */
const INPUTS = 400;
const SLOW: Readonly<Record<string, number>> = {
  webp: 60,
  onnx_networks: 40,
  pth_networks: 40,
  run_folder: 100,
  http: 200,
};

const folder = await Deno.makeTempDir();
globalThis.addEventListener(
  "unload",
  () => Deno.removeSync(folder, { recursive: true }),
);

for (const reader of readersIn(folder)) {
  const inputs = SLOW[reader.name] ?? INPUTS;
  Deno.test(`${reader.name}: ${inputs} damaged inputs are read or refused in a sentence`, async () => {
    const outcome = await fuzz(reader, { seed: 1, to: inputs });
    assertEquals(outcome.inputs, inputs);
  });
}

Deno.test("fuzz() fails when an error is not ours, and says how to repeat it", async () => {
  const reader = {
    name: "broken",
    input: (chance: Chance) => chance.below(3),
    read: (input: unknown) => {
      if (input === 0) (undefined as unknown as string).trim();
    },
  };
  const error = await assertRejects(
    () => fuzz(reader, { seed: 1, to: 50 }),
    Error,
    "it is the engine's; repeat it with: deno task fuzz --only=broken",
  );
  const number = Number(/Input (\d+)/.exec(error.message)![1]);
  await fuzz(reader, { seed: 1, to: number });
  await assertRejects(() =>
    fuzz(reader, { seed: 1, from: number, to: number + 1 })
  );
});

Deno.test.each([
  [new TypeError("Cannot read properties of null (reading 'a')")],
  [new RangeError("Invalid array length")],
  [new RangeError("Maximum call stack size exceeded")],
  [new Error("Cannot read the file.")],
  [new Error("index out of range: 10 + 5 > 12")],
  [new Error(`Cannot read ${"x".repeat(3000)}`)],
  ["text"],
])("rawness() finds fault with %s", (error) => {
  assert(rawness(error) !== undefined);
});

Deno.test("rawness() leaves alone what is quoted, and takes named classes only", () => {
  const error = new Error('Cannot read "undefined": it is empty');
  assertEquals(rawness(error), undefined);
  assertEquals(rawness(error, [SyntaxError]), "it is a Error");
});

Deno.test("damaged() and changed() make the same of the same choices, and leave what they are given", () => {
  const file = Uint8Array.from({ length: 300 }, (_, i) => i);
  const value = { a: [1, { b: "x" }], c: true };
  const kinds = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const once = damaged(file, new Chance(seed), ["word"]);
    assertEquals(once, damaged(file, new Chance(seed), ["word"]));
    const other = JSON.stringify(changed(value, new Chance(seed)));
    assertEquals(other, JSON.stringify(changed(value, new Chance(seed))));
    kinds.add(other).add(String(once));
  }
  assert(kinds.size > 150, `${kinds.size}`);
  assertEquals(file, Uint8Array.from({ length: 300 }, (_, i) => i));
  assertEquals(value, { a: [1, { b: "x" }], c: true });
});
