import { assert, assertEquals, assertRejects } from "@std/assert";
import { decodeImage } from "../../../src/core/images/decode.ts";
import type { Pixels } from "../../../src/core/images/pixels.ts";
import { encodePng } from "../../../src/core/images/png.ts";
import { randomFloats } from "../../testing.ts";

const NOISE = randomFloats(7, 40 * 30 * 4);

/** A smooth image with noise, so that every filter wins somewhere. */
function image(width: number, height: number, alpha: number): Pixels {
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    const noise = y % 3 === 0 ? NOISE[i % NOISE.length]! * 100 : 0;
    data.set([x * 5 + noise, y * 7, (x + y) * 3 + noise, alpha], i * 4);
  }
  return { width, height, data };
}

/** Width, height, bit depth, colour type. */
function header(png: Uint8Array): number[] {
  const view = new DataView(png.buffer);
  return [view.getUint32(16), view.getUint32(20), png[24]!, png[25]!];
}

Deno.test("encodePng() writes opaque images as RGB that decode the same", async () => {
  for (const [width, height] of [[1, 1], [40, 30], [3, 100]] as const) {
    const pixels = image(width, height, 255);
    const png = await encodePng(pixels);
    assertEquals(header(png), [width, height, 8, 2]);
    assertEquals(await decodeImage(png, "a.png"), pixels);
  }
});

Deno.test("encodePng() writes RGBA where a pixel is not opaque", async () => {
  const pixels = image(20, 10, 255);
  pixels.data[20 * 10 * 4 - 1] = 3;
  const png = await encodePng(pixels);
  assertEquals(header(png), [20, 10, 8, 6]);
  const opaque = pixels.data.map((value, i) => i % 4 === 3 ? 255 : value);
  assertEquals((await decodeImage(png, "a.png")).data, opaque);
});

Deno.test("encodePng() writes grey of 8 bits", async () => {
  const grey = Uint8Array.from({ length: 12 * 5 }, (_, i) => i * 4);
  const png = await encodePng({ width: 12, height: 5, grey });
  assertEquals(header(png), [12, 5, 8, 0]);
  const { data } = await decodeImage(png, "a.png");
  assertEquals(data.filter((_, i) => i % 4 === 1), grey);
});

Deno.test("encodePng() writes grey of 16 bits, high byte first", async () => {
  const grey = Uint16Array.from([0, 1, 255, 256, 0x1234, 65_535]);
  const png = await encodePng({ width: 3, height: 2, grey });
  assertEquals(header(png), [3, 2, 16, 0]);
  const rows = await rawRows(png);
  assertEquals(rows.length, 2 * 7);
  assertEquals(unfilter(rows, 6, 2), [
    ...[0, 0, 0, 1, 0, 255],
    ...[1, 0, 0x12, 0x34, 255, 255],
  ]);
});

Deno.test("encodePng() makes a mask of a few bytes", async () => {
  const grey = new Uint8Array(900 * 900);
  for (let y = 300; y < 500; y++) grey.fill(255, y * 900 + 200, y * 900 + 400);
  const png = await encodePng({ width: 900, height: 900, grey });
  assert(png.length < 3000, `${png.length} bytes`);
});

Deno.test("encodePng() gives the same bytes for the same pixels", async () => {
  const pixels = image(40, 30, 255);
  assertEquals(await encodePng(pixels), await encodePng(pixels));
});

Deno.test("encodePng() refuses data that is not as long as its size", async () => {
  await assertRejects(
    () => encodePng({ width: 2, height: 2, grey: new Uint8Array(3) }),
    RangeError,
    "data has 3 values, expected 4",
  );
  await assertRejects(
    () => encodePng({ width: 0, height: 2, data: new Uint8Array() }),
    RangeError,
    "at least one pixel",
  );
});

/** The filtered rows of a PNG with one IDAT chunk. */
async function rawRows(png: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const length = new DataView(png.buffer).getUint32(33);
  const stream = new Blob([png.subarray(41, 41 + length)]).stream()
    .pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Undoes the filters, written from the PNG specification. */
function unfilter(rows: Uint8Array, stride: number, step: number): number[] {
  const out: number[] = [];
  const at = (i: number, ok: boolean): number => ok ? out[i]! : 0;
  for (let start = 0; start < rows.length; start += stride + 1) {
    for (let i = 0; i < stride; i++) {
      const n = out.length;
      const a = at(n - step, i >= step);
      const b = at(n - stride, n >= stride);
      const c = at(n - stride - step, n >= stride && i >= step);
      const p = a + b - c;
      const [pa, pb, pc] = [a, b, c].map((v) => Math.abs(p - v));
      const paeth = pa! <= pb! && pa! <= pc! ? a : pb! <= pc! ? b : c;
      const guess = [0, a, b, (a + b) >> 1, paeth][rows[start]!]!;
      out.push((rows[start + 1 + i]! + guess) & 255);
    }
  }
  return out;
}
