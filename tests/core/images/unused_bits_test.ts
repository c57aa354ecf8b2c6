import { assertEquals } from "@std/assert";
import { decodeImage } from "../../../src/core/images/decode.ts";
import { encodePng } from "../../../src/core/images/png.ts";
import { unusedBits } from "../../../src/core/images/unused_bits.ts";

for (
  const [highest, unused] of [
    [0x3ff, 6],
    [0xfff, 4],
    [0x3fff, 2],
    [0xffff, 0],
    [
      0xff,
      8,
    ],
  ] as const
) {
  Deno.test(`unusedBits() finds ${unused} bits above ${highest}`, async () => {
    const grey = Uint16Array.of(0, highest, 17, 300 % (highest + 1));
    const bytes = await encodePng({ width: 2, height: 2, grey });
    assertEquals(unusedBits(bytes, await decodeImage(bytes, "a")), unused);
  });
}

Deno.test("unusedBits() is 0 of a dark image of 8 bits", async () => {
  const bytes = await encodePng({
    width: 1,
    height: 1,
    grey: Uint8Array.of(1),
  });
  assertEquals(unusedBits(bytes, await decodeImage(bytes, "a")), 0);
});
