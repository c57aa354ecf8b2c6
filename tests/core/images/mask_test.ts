import { assertEquals } from "@std/assert";
import { decodeMask } from "../../../src/core/images/mask.ts";
import { encodePng } from "../../../src/core/images/png.ts";
import { encodeTiff } from "../../../src/core/images/tiff.ts";

async function levelsOfMask(bytes: Uint8Array): Promise<number[]> {
  const { data } = await decodeMask(bytes, "mask");
  return Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]!);
}

function png(...samples: number[]): Promise<Uint8Array> {
  const grey = Uint16Array.from(samples);
  return encodePng({ width: samples.length, height: 1, grey });
}

Deno.test("decodeMask() keeps numbers of classes of 16 bits", async () => {
  assertEquals(await levelsOfMask(await png(0, 1, 2, 200)), [0, 1, 2, 200]);
});

Deno.test("decodeMask() makes the largest of 16 bits white", async () => {
  assertEquals(await levelsOfMask(await png(0, 65535, 32768)), [0, 255, 128]);
  assertEquals(await levelsOfMask(await png(0, 1023)), [0, 255]);
  assertEquals(await levelsOfMask(await png(0, 0)), [0, 0]);
});

Deno.test("decodeMask() makes the largest float white", async () => {
  const mask = (...data: number[]) =>
    encodeTiff({
      width: data.length,
      height: 1,
      data: Float32Array.from(data),
    });
  assertEquals(await levelsOfMask(mask(0, 1, 0.25)), [0, 255, 64]);
  assertEquals(await levelsOfMask(mask(0, 7)), [0, 255]);
  assertEquals(await levelsOfMask(mask(0, 0)), [0, 0]);
});
