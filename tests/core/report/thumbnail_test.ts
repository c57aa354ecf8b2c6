import { assertEquals } from "@std/assert";
import {
  dataAddress,
  fittedSize,
  sampleBox,
} from "../../../src/core/report/thumbnail.ts";

function ramp(width: number, height: number) {
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    data.set([i % width * 10, Math.floor(i / width) * 10, 7, 255], i * 4);
  }
  return { width, height, data };
}

function reds(image: { data: ArrayLike<number> }): number[] {
  return Array.from(image.data).filter((_, i) => i % 4 === 0);
}

Deno.test("sampleBox() takes the mean of the pixels a pixel stands for", () => {
  const box = { x: 0, y: 0, width: 4, height: 2 };
  const small = sampleBox(ramp(4, 2), box, 2, 1);
  assertEquals([...small.data], [5, 5, 7, 255, 25, 5, 7, 255]);
});

Deno.test("sampleBox() repeats pixels where there are fewer", () => {
  const box = { x: 1, y: 0, width: 2, height: 1 };
  assertEquals(reds(sampleBox(ramp(4, 2), box, 4, 1)), [10, 10, 20, 20]);
});

Deno.test("sampleBox() goes on with the edge outside the image", () => {
  const box = { x: -1, y: 0, width: 4, height: 1 };
  assertEquals(reds(sampleBox(ramp(2, 1), box, 4, 1)), [0, 0, 10, 10]);
});

Deno.test.each([
  [{ width: 400, height: 200 }, 100, { width: 100, height: 50 }],
  [{ width: 40, height: 20 }, 100, { width: 40, height: 20 }],
  [{ width: 5000, height: 1 }, 100, { width: 100, height: 1 }],
])("fittedSize() of %j in %i is %j", (size, side, expected) => {
  assertEquals(fittedSize(size, side), expected);
});

Deno.test("dataAddress() holds the image as a JPEG", async () => {
  const address = await dataAddress(ramp(8, 8));
  const bytes = Uint8Array.fromBase64(address.split(",")[1]!);
  assertEquals(address.split(",")[0], "data:image/jpeg;base64");
  assertEquals([...bytes.subarray(0, 3)], [0xff, 0xd8, 0xff]);
});
