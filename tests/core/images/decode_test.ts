import { assert, assertEquals, assertRejects } from "@std/assert";
import { decodeImage } from "../../../src/core/images/decode.ts";
import type { Pixels } from "../../../src/core/images/pixels.ts";
import { ImageError } from "../../../src/core/images/image_error.ts";
import { encodePng } from "../../../src/core/images/png.ts";

interface Case {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  /** Pillow's `convert("RGB")`, hexadecimal. */
  readonly rgb: string;
  /** The most levels a decoder may differ. */
  readonly tolerance: number;
}

const FOLDER = new URL("../../golden/images/", import.meta.url);
const CASES = JSON.parse(
  Deno.readTextFileSync(new URL("cases.json", FOLDER)),
) as Case[];

function open(file: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(file, FOLDER));
}

function assertPixels(actual: Pixels, expected: Case): void {
  assertEquals([actual.width, actual.height], [
    expected.width,
    expected.height,
  ]);
  const rgb = Uint8Array.fromHex(expected.rgb);
  assertEquals(actual.data.length, rgb.length / 3 * 4);
  let worst = 0;
  for (let i = 0; i < actual.data.length; i++) {
    const channel = i % 4;
    const level = channel === 3 ? 255 : rgb[Math.floor(i / 4) * 3 + channel]!;
    worst = Math.max(worst, Math.abs(actual.data[i]! - level));
  }
  assert(
    worst <= expected.tolerance,
    `A level differs by ${worst}, at most ${expected.tolerance} is allowed`,
  );
}

Deno.test.each(CASES.map((one) => [one.file, one] as const))(
  "decodeImage() reads %s as Pillow does",
  async (file, expected) => {
    assertPixels(await decodeImage(open(file), file), expected);
  },
);

Deno.test("decodeImage() does not go by the file's name", async () => {
  const { data } = await decodeImage(open("rgb.png"), "wrong.jpg");
  assertEquals(data, (await decodeImage(open("rgb.bmp"), "b")).data);
});

Deno.test("decodeImage() reads a part of a larger buffer", async () => {
  const file = open("rgb.png");
  const moved = new Uint8Array(file.length + 8);
  moved.set(file, 3);
  const part = moved.subarray(3, 3 + file.length);
  const whole = await decodeImage(file, "whole");
  assertEquals(await decodeImage(part, "part"), whole);
});

Deno.test("decodeImage() leaves the file's bytes as they are", async () => {
  for (const name of ["rgba.png", "orientation6.jpg", "alpha.webp"]) {
    const file = open(name);
    const before = file.slice();
    await decodeImage(file, name);
    assertEquals(file, before);
  }
});

Deno.test("decodeImage() decodes many at a time", async () => {
  const cases = [...CASES, ...CASES, ...CASES];
  const decoded = await Promise.all(
    cases.map(({ file }) => decodeImage(open(file), file)),
  );
  decoded.forEach((pixels, i) => assertPixels(pixels, cases[i]!));
});

Deno.test("decodeImage() uses the runtime's decoder where npm cannot be loaded", async (t) => {
  const process = Object.getOwnPropertyDescriptor(globalThis, "process")!;
  Object.defineProperty(globalThis, "process", {
    value: undefined,
    configurable: true,
  });
  try {
    for (const one of CASES.filter(({ file }) => runtimeReads(file))) {
      await t.step(one.file, async () => {
        const tolerance = /lossy/.test(one.file) ? 12 : 0;
        const pixels = await decodeImage(open(one.file), one.file);
        assertPixels(pixels, { ...one, tolerance });
      });
    }
  } finally {
    Object.defineProperty(globalThis, "process", process);
  }
});

/** Deno reads no CMYK as Pillow does. */
function runtimeReads(file: string): boolean {
  return !/cmyk/.test(file);
}

const FILES = Array.from(Deno.readDirSync(FOLDER), ({ name }) => name)
  .filter((name) => !name.endsWith(".json")).sort();

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

async function refused(
  bytes: Uint8Array,
  name: string,
  reason: string,
): Promise<void> {
  const error = await assertRejects(
    () => decodeImage(bytes, name),
    ImageError,
    `Cannot read image "${name}": ${reason}`,
  );
  assertEquals(error.image, name);
}

Deno.test.each([
  ["nothing", "", "the file is empty; copy or download it again"],
  [
    "a Git LFS pointer",
    "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n",
    "it is a Git LFS pointer, not the image itself; fetch the images with `git lfs pull`",
  ],
  ["a web page", "\n<!DOCTYPE html><html>", "it is a web page; download the"],
  [
    "text",
    "hello\n",
    "it is a text file, expected PNG, JPEG, TIFF, BMP, WebP, GIF or AVIF",
  ],
  ["an SVG", '<svg xmlns="x">', "it is XML or SVG"],
  ["a bare TIFF start", "II*\0\x08\0\0\0", "the TIFF file is truncated"],
  ["a bare AVIF start", "\0\0\0\x20ftypavif", "the AVIF file tells no size"],
  ["an HEIC", "\0\0\0\x20ftypheic", "it is an HEIC image"],
  ["a video", "\0\0\0\x20ftypisom", "it is a video"],
  ["a JPEG XL", "\xff\x0a\0\0", "it is a JPEG XL image"],
  ["a JPEG 2000", "\0\0\0\x0cjP  \r\n", "it is a JPEG 2000 image"],
  ["a PNM", "P6\n1 1\n255\n\0\0\0", "it is a PNM image"],
  ["a PDF", "%PDF-1.7\n", "it is a PDF document"],
  ["a ZIP", "PK\x03\x04\0", "it is a ZIP archive"],
  ["a NumPy file", "\x93NUMPY\x01\0", "it is a NumPy array"],
  ["a DICOM", "\0".repeat(128) + "DICM", "it is a DICOM image"],
  ["gzip", "\x1f\x8b\x08", "it is gzip-compressed"],
  ["noise", "\x80\x02\x91\x00\xfe", "its content is none of PNG, JPEG"],
  ["half a signature", "\x89PNG\r\n", "the file ends before its header does"],
  ["text in Latin-1", "caf\xe9 au lait", "its content is none of PNG, JPEG"],
  ["a bare PNG signature", "\x89PNG\r\n\x1a\n", "the PNG file does not begin"],
  ["a bare JPEG start", "\xff\xd8\xff", "the JPEG file is truncated"],
  ["a JPEG of nothing", "\xff\xd8\xff\xd9", "the JPEG file has no image in it"],
  ["a bare BMP start", "BM\0\0", "the file ends before its header does"],
  ["a bare GIF start", "GIF89a\x01", "the file ends before its header does"],
])("decodeImage() refuses %s with a reason", async (_, text, reason) => {
  await refused(ascii(text), "a.jpg", reason);
});

Deno.test.each(
  FILES.filter((file) => file !== "animated.gif").map((file) => [file]),
)(
  "decodeImage() refuses %s when it is truncated",
  async (file) => {
    const bytes = open(file);
    // a GIF's end marker and a BMP's padding carry nothing
    const least = /png|jpg/.test(file) ? 1 : 10;
    const ends = [1, 2, 9, 20, 33, 64, 200, 0.1, 0.5, 0.9]
      .map((cut) => cut < 1 ? Math.floor(bytes.length * cut) : cut)
      .filter((cut) => cut >= least && cut < bytes.length);
    assert(ends.length >= 2);
    for (const cut of ends) {
      await assertRejects(
        () => decodeImage(bytes.subarray(0, bytes.length - cut), file),
        ImageError,
      );
    }
  },
);

Deno.test("decodeImage() needs no more than a GIF's first frame", async () => {
  const bytes = open("animated.gif");
  const part = bytes.subarray(0, bytes.length / 2);
  const whole = await decodeImage(bytes, "whole.gif");
  assertEquals(await decodeImage(part, "part.gif"), whole);
  const less = bytes.subarray(0, bytes.length / 10);
  await refused(less, "less.gif", "the GIF file is damaged");
});

/** A PNG with a header that says so, and next to no data. */
async function pngOfSize(width: number, height: number): Promise<Uint8Array> {
  const grey = new Uint8Array(1);
  const png = await encodePng({ width: 1, height: 1, grey });
  const view = new DataView(png.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  return png;
}

Deno.test("decodeImage() refuses a decompression bomb by its header", async () => {
  await refused(
    await pngOfSize(10_001, 10_000),
    "bomb.png",
    "it has 10001 × 10000 pixels, at most 100000000 are allowed; shrink it, or allow more (--max-pixels, maxPixels in the library)",
  );
  await refused(
    await pngOfSize(0xffffffff, 0xffffffff),
    "bomb.png",
    "it has 4294967295 × 4294967295 pixels",
  );
});

Deno.test("decodeImage() checks the size of every format before decoding", async () => {
  for (const file of FILES) {
    await assertRejects(
      () => decodeImage(open(file), file, { maxPixels: 407 }),
      ImageError,
      "at most 407 are allowed",
    );
    await decodeImage(open(file), file, { maxPixels: 408 });
  }
});

Deno.test("decodeImage() refuses images without pixels", async () => {
  await refused(
    await pngOfSize(0, 5),
    "a.png",
    "its size is 0 × 5, expected at least one pixel",
  );
  const gif = open("palette.gif");
  gif.fill(0, 6, 10);
  await refused(gif, "a.gif", "its size is 0 × 0");
});

Deno.test("decodeImage() refuses JPEG codings that are not supported", async () => {
  const jpeg = open("444.jpg");
  const frame = jpeg.findIndex((byte, i) =>
    byte === 0xff && jpeg[i + 1] === 0xc0
  );
  const variant = (at: number, value: number): Uint8Array => {
    const changed = jpeg.slice();
    changed[frame + at] = value;
    return changed;
  };
  await refused(variant(1, 0xc9), "a.jpg", "the JPEG file uses arithmetic");
  await refused(variant(1, 0xc3), "a.jpg", "the JPEG file uses lossless");
  await refused(variant(4, 12), "a.jpg", "the JPEG file uses 12 bits");
});

Deno.test("decodeImage() refuses damaged files and goes on", async () => {
  const good = await decodeImage(open("rgb.png"), "rgb.png");
  const damaged = open("rgb.png");
  const data = damaged.length - 40;
  damaged[data] = damaged[data]! ^ 0xff;
  await refused(damaged, "rgb.png", "the PNG file is damaged or of an unknown");
  assertEquals(await decodeImage(open("rgb.png"), "rgb.png"), good);
});

Deno.test("decodeImage() throws nothing but ImageError on mutated files", async () => {
  let state = 1;
  const random = (n: number): number => {
    state = Math.imul(state, 0x5bd1e995) + 0x2545f491 >>> 0;
    return Math.floor(state / 2 ** 32 * n);
  };
  let errors = 0;
  for (let round = 0; round < 400; round++) {
    const file = FILES[round % FILES.length]!;
    const bytes = open(file);
    for (let i = random(4); i >= 0; i--) {
      bytes[random(bytes.length)] = random(256);
    }
    try {
      const { width, height, data } = await decodeImage(bytes, file, {
        maxPixels: 1e6,
      });
      assertEquals(data.length, width * height * 4);
    } catch (error) {
      assert(error instanceof ImageError, `${file}, round ${round}: ${error}`);
      errors++;
    }
  }
  assert(errors > 100, `only ${errors} of 400 mutated files were refused`);
});
