import { assertEquals, assertThrows } from "@std/assert";
import { labelComponents } from "../../../src/core/images/components.ts";
import { Mt19937 } from "../../../src/core/settings/random.ts";

function draw(...rows: string[]): {
  mask: Uint8Array;
  size: { width: number; height: number };
} {
  const text = rows.join("");
  return {
    mask: Uint8Array.from(text, (character) => character === "." ? 0 : 255),
    size: { width: rows[0]!.length, height: rows.length },
  };
}

function picture(labels: Uint32Array, width: number): string[] {
  const text = Array.from(labels, (label) => label === 0 ? "." : String(label));
  return Array.from(
    { length: labels.length / width },
    (_, y) => text.slice(y * width, (y + 1) * width).join(""),
  );
}

Deno.test("labelComponents() joins pixels that touch at a corner", () => {
  const { mask, size } = draw("#..#", ".##.", "#..#");
  const { labels, sizes } = labelComponents(mask, size);
  assertEquals(picture(labels, 4), ["1..1", ".11.", "1..1"]);
  assertEquals(sizes, [6]);
});

Deno.test("labelComponents() joins a component that comes together late", () => {
  const { mask, size } = draw("#.#.#", "#.#.#", "#...#", ".#.#.", "..#..");
  const { labels, sizes } = labelComponents(mask, size);
  assertEquals(picture(labels, 5), [
    "1.2.1",
    "1.2.1",
    "1...1",
    ".1.1.",
    "..1..",
  ]);
  assertEquals(sizes, [9, 2]);
});

Deno.test("labelComponents() does not join over the edges of the image", () => {
  const { mask, size } = draw("...#", "#...", "...#");
  assertEquals(labelComponents(mask, size).sizes, [1, 1, 1]);
});

Deno.test("labelComponents() finds nothing in an empty mask and one in a full one", () => {
  assertEquals(
    labelComponents(new Uint8Array(6), { width: 3, height: 2 }).sizes,
    [],
  );
  assertEquals(
    labelComponents(new Uint8Array(6).fill(1), { width: 3, height: 2 }).sizes,
    [6],
  );
});

Deno.test("labelComponents() equals a flood fill of random masks", () => {
  const random = new Mt19937(11);
  for (let round = 0; round < 60; round++) {
    const width = 1 + random.below(24), height = 1 + random.below(24);
    const odds = 0.2 + 0.1 * random.below(6);
    const mask = Uint8Array.from(
      { length: width * height },
      () => random.float64() < odds ? 1 : 0,
    );
    const expected = floodFill(mask, width, height);
    const { labels, sizes } = labelComponents(mask, { width, height });
    assertEquals(labels, expected);
    const counted = sizes.map((_, i) =>
      expected.filter((label) => label === i + 1).length
    );
    assertEquals(sizes, counted);
  }
});

function floodFill(
  mask: Uint8Array,
  width: number,
  height: number,
): Uint32Array<ArrayBuffer> {
  const labels = new Uint32Array(mask.length);
  let count = 0;
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] === 0 || labels[start] !== 0) continue;
    labels[start] = ++count;
    for (const stack = [start]; stack.length > 0;) {
      const at = stack.pop()!;
      const x = at % width, y = (at - x) / width;
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          const next = v * width + u;
          if (mask[next] === 0 || labels[next] !== 0) continue;
          labels[next] = count;
          stack.push(next);
        }
      }
    }
  }
  return labels;
}

Deno.test("labelComponents() refuses a mask of another size", () => {
  assertThrows(
    () => labelComponents(new Uint8Array(5), { width: 3, height: 2 }),
    RangeError,
    "the mask has 5 pixels, expected 3 × 2",
  );
});
