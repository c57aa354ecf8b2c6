import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { decodeImage, decodeStored } from "../../../src/core/images/decode.ts";
import { ImageError } from "../../../src/core/images/image_error.ts";
import { readTiffHeader } from "../../../src/core/images/tiff_header.ts";

/** A little-endian TIFF of one directory: tag, type, numbers. */
function tiff(
  entries: readonly (readonly [number, number, readonly number[]])[],
  pixels = new Uint8Array(12),
): Uint8Array<ArrayBuffer> {
  const after = 8 + pixels.length;
  const extra = after + 6 + 12 * entries.length;
  const bytes = new Uint8Array(extra + 4096);
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x49, 42, 0]);
  view.setUint32(4, after, true);
  bytes.set(pixels, 8);
  view.setUint16(after, entries.length, true);
  let free = extra;
  entries.forEach(([tag, type, numbers], i) => {
    const at = after + 2 + 12 * i;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, type, true);
    view.setUint32(at + 4, numbers.length, true);
    const size = type === 3 ? 2 : 4;
    let to = at + 8;
    if (numbers.length * size > 4) {
      view.setUint32(at + 8, free, true);
      to = free;
      free += numbers.length * size;
    }
    for (const number of numbers) {
      if (size === 2) view.setUint16(to, number, true);
      else view.setUint32(to, number, true);
      to += size;
    }
  });
  return bytes;
}

type Change = readonly [tag: number, numbers: readonly number[]];

/** A grey image of 4 × 3 pixels and 8 bits, with other entries. */
function changed(...changes: readonly Change[]): Uint8Array<ArrayBuffer> {
  const entries = new Map<number, readonly number[]>([
    [256, [4]],
    [257, [3]],
    [258, [8]],
    [259, [1]],
    [262, [1]],
    [273, [8]],
    [277, [1]],
    [278, [3]],
    [279, [12]],
    ...changes,
  ]);
  return tiff(
    [...entries].sort(([a], [b]) => a - b)
      .map(([tag, numbers]) => [tag, 4, numbers] as const),
  );
}

Deno.test("readTiffHeader() reads what was written", () => {
  const header = readTiffHeader(changed(), "a.tif");
  assertEquals([header.width, header.height, header.bits], [4, 3, 8]);
  assertEquals([header.color, header.compression], ["black is zero", "none"]);
  assertEquals([header.pages, header.orientation], [1, 1]);
  assertEquals(readTiffHeader(changed([274, [7]]), "a.tif").orientation, 7);
  assertEquals(readTiffHeader(changed([274, [9]]), "a.tif").orientation, 1);
});

Deno.test.each<[string, Change[]]>([
  ["it is compressed with JPEG, which is not read; write it with LZW", [[259, [
    7,
  ]]]],
  ["compressed with a fax code", [[259, [4]]]],
  ["compressed with Zstandard", [[259, [50000]]]],
  ["compressed with compression 12345", [[259, [12345]]]],
  ["has predictor 5", [[317, [5]]]],
  ["has predictor 3 for unsigned samples of 8 bits", [[259, [5]], [317, [3]]]],
  ["has channels of 8, 8, 16 bits", [[258, [8, 8, 16]]]],
  ["has samples of 24 bits in format 1", [[258, [24]]]],
  ["has samples of 16 bits in format 3", [[258, [16]], [339, [3]]]],
  ["has samples of 8 bits in format 6", [[339, [6]]]],
  ["has colours of kind 6", [[262, [6]]]],
  ["has 1 samples a pixel for rgb", [[262, [2]]]],
  ["has 4000000000 samples a pixel", [[277, [4e9]]]],
  ["has 4 samples a pixel for black is zero", [[277, [4]]]],
  ["has a palette that is not there", [[262, [3]]]],
  ["has palette samples of 16 bits", [[262, [3]], [258, [16]]]],
  ["its size is 0 × 3", [[256, [0]]]],
  ["has blocks of 4 × 0 pixels", [[278, [0]]]],
  ["has blocks of 65536 × 65536 pixels", [[322, [65536]], [323, [65536]]]],
  ["is truncated", [[273, [4097 * 4]]]],
  ["is truncated", [[279, [4e9]]]],
  ["is truncated", [[278, [1]]]],
  ["is truncated", [[257, [4e9]], [278, [1]]]],
])("readTiffHeader() tells that the file %s", (reason, changes) => {
  const error = assertThrows(
    () => readTiffHeader(changed(...changes), "a.tif"),
    ImageError,
    'Cannot read image "a.tif": ',
  );
  assert(error.message.includes(reason.replace(/^it /, "")), error.message);
});

Deno.test("readTiffHeader() does not follow directories in a circle", () => {
  const bytes = changed();
  const view = new DataView(bytes.buffer);
  const directory = view.getUint32(4, true);
  const entries = view.getUint16(directory, true);
  view.setUint32(directory + 2 + 12 * entries, directory, true);
  assertEquals(readTiffHeader(bytes, "a.tif").pages, 1);
});

Deno.test("readTiffHeader() refuses every beginning of a file", () => {
  const whole = changed();
  // Behind the directory lies nothing that belongs to the image.
  const needed = 8 + 12 + 6 + 9 * 12;
  for (let length = 4; length < needed; length++) {
    assertThrows(
      () => readTiffHeader(whole.subarray(0, length), "a.tif"),
      ImageError,
    );
  }
  readTiffHeader(whole.subarray(0, needed), "a.tif");
});

Deno.test("decodeImage() decompresses no more than a TIFF's pixels", async () => {
  const zeros = new Blob([new Uint8Array(50e6)]).stream()
    .pipeThrough(new CompressionStream("deflate"));
  const bomb = await new Response(zeros).bytes();
  const size = { width: 4, height: 3 };
  const entries = (compression: number, length: number) => ([
    [256, 4, [size.width]],
    [257, 4, [size.height]],
    [258, 3, [8]],
    [259, 3, [compression]],
    [262, 3, [1]],
    [273, 4, [8]],
    [277, 3, [1]],
    [278, 4, [size.height]],
    [279, 4, [length]],
  ] as const);
  const bytes = tiff(entries(8, bomb.length), bomb);
  const { data } = await decodeImage(bytes, "bomb.tif");
  assertEquals(data.length, 4 * 12);
  // A run of 128 bytes in every two, far beyond the image.
  const runs = new Uint8Array(1e6).map((_, i) => i % 2 ? 7 : 129);
  const packed = tiff(entries(32773, runs.length), runs);
  assertEquals((await decodeImage(packed, "bomb.tif")).data[0], 7);
});

Deno.test("decodeImage() tells which block of a TIFF ends too soon", async () => {
  const bytes = changed([279, [11]]);
  await assertRejects(
    () => decodeImage(bytes, "a.tif"),
    ImageError,
    "(block 1 has 11 bytes of pixels, expected 12)",
  );
  for (const compression of [5, 8, 32773]) {
    await assertRejects(
      () => decodeImage(changed([259, [compression]]), "a.tif"),
      ImageError,
      "the TIFF file is damaged",
    );
  }
});

Deno.test("decodeImage() asks for a range where samples say nothing of it", async () => {
  const floats = changed([256, [1]], [258, [32]], [339, [3]], [278, [3]]);
  await assertRejects(
    () => decodeImage(floats, "a.tif"),
    ImageError,
    "its samples are floats of 32 bits, which say nothing of their range; say with --range LO..HI",
  );
  const range = { low: -1, high: 1 };
  const { data } = await decodeImage(floats, "a.tif", { range });
  assertEquals([...data.subarray(0, 4)], [128, 128, 128, 255]);
  assertEquals((await decodeStored(floats, "a.tif")).header.bits, 32);
});
