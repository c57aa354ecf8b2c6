import { assertEquals } from "@std/assert";
import {
  floatKey,
  keyFloat,
  RadixSorter,
} from "../../../src/core/metrics/radix_sort.ts";
import {
  type Run,
  walkDescending,
} from "../../../src/core/metrics/sorted_runs.ts";
import { Mt19937 } from "../../../src/core/settings/random.ts";

function key(value: number): number {
  return floatKey(new Uint32Array(Float32Array.of(value).buffer)[0]!);
}

Deno.test("floatKey() orders keys as the floats are ordered", () => {
  const floats = [
    -Infinity,
    -3.5,
    -1e-40,
    0,
    1e-45,
    1e-40,
    0.25,
    1,
    1.0000001192092896,
    3e38,
    Infinity,
  ];
  const keys = floats.map(key);
  assertEquals(keys, keys.toSorted((a, b) => a - b));
  assertEquals(new Set(keys).size, floats.length);
  assertEquals(key(-0), key(0));
  for (const float of floats) {
    assertEquals(keyFloat(key(float)), Math.fround(float));
  }
});

Deno.test("RadixSorter.sort() sorts keys and carries tags along, stably", () => {
  const random = new Mt19937(2);
  const sorter = new RadixSorter();
  for (
    const [count, bound] of [[0, 9], [1, 9], [500, 4], [900, 2 ** 32], [
      64,
      4000,
    ]] as const
  ) {
    const keys = new Uint32Array(count).map(() => random.below(bound));
    const tags = keys.map((_, i) => i);
    const order = Array.from(tags).sort((a, b) => keys[a]! - keys[b]! || a - b);
    const expected = keys.toSorted();
    const bare = keys.slice();
    sorter.sort(bare);
    assertEquals(bare, expected);
    sorter.sort(keys, tags);
    assertEquals(keys, expected);
    assertEquals([...tags], order);
  }
});

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
