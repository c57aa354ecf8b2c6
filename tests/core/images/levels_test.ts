import { assertEquals, assertThrows } from "@std/assert";
import { levelsOf, rangeOfAll } from "../../../src/core/images/levels.ts";
import {
  bitsOf,
  extentOf,
  type SampleData,
  type SampleExtent,
  type Samples,
} from "../../../src/core/images/samples.ts";
import type { SampleRange } from "../../../src/core/settings/settings.ts";

function grey(data: SampleData, bits: number, kind: Samples["kind"]): Samples {
  return { width: data.length, height: 1, channels: 1, bits, kind, data };
}

/** Levels of grey, one a pixel; all three colours have to be alike. */
function levels(samples: Samples, range?: SampleRange): number[] {
  const { data } = levelsOf(samples, range);
  return Array.from({ length: data.length / 4 }, (_, i) => {
    const [red, green, blue, alpha] = data.subarray(4 * i, 4 * i + 4);
    assertEquals([green, blue, alpha], [red, red, 255]);
    return red!;
  });
}

const words = (...values: number[]): Uint16Array => Uint16Array.from(values);

Deno.test("levelsOf() takes the highest 8 bits where there is no range", () => {
  for (const bits of [9, 10, 12, 14, 16]) {
    const most = 2 ** bits - 1;
    const values = [0, 1, most >> 1, (most >> 1) + 1, most - 1, most];
    assertEquals(
      levels(grey(words(...values), bits, "unsigned")),
      values.map((value) => value >> (bits - 8)),
    );
  }
});

Deno.test("levelsOf() stretches few bits as Pillow does", () => {
  const all = (bits: number): number[] =>
    levels(
      grey(
        Uint8Array.from({ length: 2 ** bits }, (_, i) => i),
        bits,
        "unsigned",
      ),
    );
  assertEquals(all(1), [0, 255]);
  assertEquals(all(2), [0, 85, 170, 255]);
  assertEquals(all(4), Array.from({ length: 16 }, (_, i) => 17 * i));
  assertEquals(all(8), Array.from({ length: 256 }, (_, i) => i));
});

Deno.test("levelsOf() takes 12 of 16 bits as it takes 12 of 12", () => {
  const data = Uint16Array.from({ length: 4096 }, (_, i) => i);
  assertEquals(
    levels(grey(data, 16, "unsigned"), { low: 0, high: 4095 }),
    levels(grey(data, 12, "unsigned")),
  );
});

Deno.test("levelsOf() divides a range into 256 steps and clips the rest", () => {
  const range = { low: 100, high: 355 };
  assertEquals(
    levels(
      grey(words(0, 99, 100, 101, 355, 356, 65535), 16, "unsigned"),
      range,
    ),
    [0, 0, 0, 1, 255, 255, 255],
  );
  assertEquals(
    levels(grey(Int16Array.of(-200, -128, 0, 127, 200), 16, "signed"), {
      low: -128,
      high: 127,
    }),
    [0, 0, 128, 255, 255],
  );
  assertEquals(
    levels(grey(Uint32Array.of(0, 2 ** 31, 2 ** 32 - 1), 32, "unsigned"), {
      low: 0,
      high: 2 ** 32 - 1,
    }),
    [0, 128, 255],
  );
  assertEquals(
    levels(grey(Float32Array.of(-Infinity, -1, 0, 0.5, 1, 9), 32, "float"), {
      low: -1,
      high: 1,
    }),
    [0, 0, 128, 191, 255, 255],
  );
});

Deno.test("levelsOf() takes 8 bits as they are, whatever the range", () => {
  const bytes = grey(Uint8Array.of(0, 100, 255), 8, "unsigned");
  assertEquals(levels(bytes, { low: 0, high: 100 }), [0, 100, 255]);
});

Deno.test("levelsOf() keeps colours apart", () => {
  const data = words(0x0102, 0x1020, 0xff00);
  const { data: rgba } = levelsOf({
    ...{ width: 1, height: 1, channels: 3, bits: 16, kind: "unsigned" },
    data,
  });
  assertEquals([...rgba], [0x01, 0x10, 0xff, 255]);
});

Deno.test("levelsOf() refuses samples that say nothing of their range", () => {
  for (
    const samples of [
      grey(Float32Array.of(0.5), 32, "float"),
      grey(Int16Array.of(1), 16, "signed"),
      grey(Uint32Array.of(1), 32, "unsigned"),
    ]
  ) {
    assertThrows(() => levelsOf(samples), RangeError, "nothing of their range");
  }
  const bad = grey(Float32Array.of(0.5, NaN), 32, "float");
  for (
    const work of [
      () => levelsOf(bad, { low: 0, high: 1 }),
      () => extentOf(bad),
    ]
  ) {
    assertThrows(work, RangeError, "one of its samples is NaN");
  }
});

Deno.test("bitsOf() tells how many bits a number takes", () => {
  for (let number = 0; number < 70_000; number += number < 300 ? 1 : 251) {
    assertEquals(bitsOf(number), number === 0 ? 0 : number.toString(2).length);
  }
  assertEquals([bitsOf(65_535), bitsOf(65_536)], [16, 17]);
});

Deno.test("rangeOfAll() is what the bits in use allow, or from least to most", () => {
  const extent = (least: number, most: number, kind: Samples["kind"]) =>
    ({ bits: 16, kind, least, most }) satisfies SampleExtent;
  const cases = [
    [[], undefined],
    [[extent(5, 900, "unsigned"), extent(7, 1023, "unsigned")], [0, 1023]],
    [[extent(5, 900, "unsigned"), extent(7, 1024, "unsigned")], [0, 2047]],
    [[extent(0, 3, "unsigned")], [0, 255]],
    [[extent(0, 65535, "unsigned")], [0, 65535]],
    [[extent(-5, 90, "signed"), extent(0, 70, "signed")], [-5, 90]],
    [[extent(0.25, 0.75, "float"), extent(0.5, 1.5, "float")], [0.25, 1.5]],
    [[extent(2, 2, "float")], [2, 3]],
  ] as const;
  for (const [extents, expected] of cases) {
    const range = rangeOfAll(extents);
    assertEquals(range && [range.low, range.high], expected && [...expected]);
  }
});
