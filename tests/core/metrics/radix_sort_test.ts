import { assertEquals } from "@std/assert";
import {
  floatKey,
  keyFloat,
  RadixSorter,
} from "../../../src/core/metrics/radix_sort.ts";
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
