import { assertEquals } from "@std/assert";
import {
  type Run,
  walkDescending,
} from "../../../src/core/metrics/sorted_runs.ts";
import { Mt19937 } from "../../../src/core/settings/random.ts";

function walk(
  runs: Run[],
  blockSize?: number,
): { pairs: string[]; largest: number } {
  const pairs: string[] = [];
  let largest = 0, last = Infinity;
  walkDescending(runs, (keys, tags) => {
    largest = Math.max(largest, keys.length);
    const block: string[] = [];
    for (let i = keys.length - 1; i >= 0; i--) {
      assertEquals(keys[i]! <= last, true, "keys must never rise");
      last = keys[i]!;
      block.push(`${keys[i]}/${tags[i]}`);
    }
    pairs.push(...block);
  }, blockSize);
  return { pairs: pairs.sort(), largest };
}

Deno.test("walkDescending() visits every entry once in blocks no larger than asked", () => {
  const random = new Mt19937(6);
  for (const bound of [1, 3, 1000, 2 ** 32]) {
    const runs = Array.from({ length: 7 }, (_, tag): Run => {
      const keys = new Uint32Array(random.below(40)).map(() =>
        random.below(bound)
      ).sort();
      return { keys, tags: tag % 2 === 0 ? tag : keys.map((_, i) => 100 + i) };
    });
    const expected = runs.flatMap(({ keys, tags }) =>
      Array.from(
        keys,
        (key, i) => `${key}/${typeof tags === "number" ? tags : tags[i]}`,
      )
    ).sort();
    for (const blockSize of [1, 5, 64, undefined]) {
      const { pairs, largest } = walk(runs, blockSize);
      assertEquals(pairs, expected);
      assertEquals(largest <= (blockSize ?? expected.length), true);
    }
  }
});

Deno.test("walkDescending() visits nothing when there are no entries", () => {
  assertEquals(walk([]).pairs, []);
  assertEquals(walk([{ keys: new Uint32Array(0), tags: 0 }]).pairs, []);
});
