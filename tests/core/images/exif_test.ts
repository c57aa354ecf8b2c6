import { assertEquals } from "@std/assert";
import { readOrientation } from "../../../src/core/images/exif.ts";

Deno.test("readOrientation() takes malformed EXIF data as upright", () => {
  const exif = [
    ...[0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1], // one entry at 8
    ...[1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0], // orientation, short, 1, 6
  ];
  assertEquals(readOrientation(Uint8Array.from(exif)), 6);
  for (
    const [at, value] of [
      [0, 0],
      [3, 41],
      [7, 200],
      [4, 255],
      [11, 0x13],
      [
        13,
        4,
      ],
      [19, 0],
      [19, 9],
    ] as const
  ) {
    const changed = exif.with(at, value);
    assertEquals(readOrientation(Uint8Array.from(changed)), 1);
  }
  for (let length = 0; length < exif.length; length++) {
    assertEquals(readOrientation(Uint8Array.from(exif.slice(0, length))), 1);
  }
});
