import { assert, assertEquals } from "@std/assert";
import { decodeImage, decodeStored } from "../../../src/core/images/decode.ts";
import { applyOrientation } from "../../../src/core/images/exif.ts";
import { readImageHeader } from "../../../src/core/images/image_header.ts";
import { ImageError } from "../../../src/core/images/image_error.ts";
import type { SampleKind } from "../../../src/core/images/samples.ts";

/** What tests/oracles/camera.py has written. */
interface Case {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly bits: number;
  readonly kind: SampleKind;
  /** Of the samples as Pillow reads them, low bytes first. */
  readonly sha256: string;
  /** Whether those are of the image turned upright. */
  readonly upright?: true;
  readonly pages?: number;
  /** Pillow's levels, hexadecimal, of a file that is not decoded exactly. */
  readonly rgb?: string;
}

const FOLDER = new URL("../../golden/camera/", import.meta.url);
const CASES = JSON.parse(
  Deno.readTextFileSync(new URL("cases.json", FOLDER)),
) as Case[];

function open(file: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(file, FOLDER));
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(hash).toHex();
}

/** Channels of RGBA pixels as Pillow has them. */
function levels(rgba: Uint8Array | Uint8ClampedArray, channels: number) {
  const rest = new Uint8Array(rgba.length / 4 * channels);
  for (let i = 0; i < rest.length; i++) {
    rest[i] = rgba[Math.floor(i / channels) * 4 + i % channels]!;
  }
  return rest;
}

const DEEP = CASES.filter(({ bits, upright }) => bits > 8 && !upright);
const LEVELS = CASES.filter(({ bits, rgb }) => bits === 8 && !rgb);

Deno.test.each(DEEP.map((one) => [one.file, one] as const))(
  "decodeStored() reads %s to the bit, as Pillow does",
  async (file, one) => {
    const { content } = await decodeStored(open(file), file);
    assert("channels" in content);
    const { width, height, channels, bits, kind, data } = content;
    assertEquals(
      { width, height, channels, bits, kind },
      {
        ...{ width: one.width, height: one.height, channels: one.channels },
        ...{ bits: one.bits, kind: one.kind },
      },
    );
    const bytes = new Uint8Array(data.buffer as ArrayBuffer);
    assertEquals(await sha256(bytes), one.sha256);
  },
);

Deno.test.each(LEVELS.map((one) => [one.file, one] as const))(
  "decodeImage() reads %s to the level, as Pillow does",
  async (file, one) => {
    const { width, height, data } = await decodeImage(open(file), file);
    assertEquals([width, height], [one.width, one.height]);
    assertEquals(await sha256(levels(data, one.channels)), one.sha256);
    const { pages = 1 } = readImageHeader(open(file), file);
    assertEquals(pages, one.pages ?? 1);
  },
);

Deno.test("decodeImage() turns an image of 16 bits upright", async () => {
  const cases = CASES.filter(({ bits, upright }) => bits > 8 && upright);
  assert(cases.length > 0);
  const stored = await decodeImage(open("pil_grey16.png"), "a");
  for (const { file } of cases) {
    assertEquals(
      await decodeImage(open(file), file),
      applyOrientation(stored, 6),
    );
  }
});

Deno.test("decodeImage() reads JPEG of CMYK and of 4:4:0 as Pillow does, but for some levels", async () => {
  const cases = CASES.filter(({ rgb }) => rgb);
  assert(cases.length > 0);
  for (const { file, rgb } of cases) {
    const { data } = await decodeImage(open(file), file);
    const expected = Uint8Array.fromHex(rgb!);
    const worst = levels(data, 3).reduce(
      (most, level, i) => Math.max(most, Math.abs(level - expected[i]!)),
      0,
    );

    assert(worst <= 2, `${file}: ${worst} levels`);
  }
});

Deno.test("decodeImage() throws nothing but ImageError on mutated files of cameras", async () => {
  let state = 7;
  const random = (n: number): number => {
    state = Math.imul(state, 0x5bd1e995) + 0x2545f491 >>> 0;
    return Math.floor(state / 2 ** 32 * n);
  };
  let errors = 0;
  for (let round = 0; round < 300; round++) {
    const { file } = CASES[round % CASES.length]!;
    const bytes = open(file);
    // Headers are at either end of a TIFF.
    const near = random(2) === 0 ? 0 : Math.max(0, bytes.length - 300);
    for (let i = random(4); i >= 0; i--) {
      const at = random(3) === 0 ? random(bytes.length) : near + random(300);
      if (at < bytes.length) bytes[at] = random(256);
    }
    try {
      const { width, height, data } = await decodeImage(bytes, file, {
        maxPixels: 1e6,
        range: { low: 0, high: 4095 },
      });
      assertEquals(data.length, width * height * 4);
    } catch (error) {
      assert(error instanceof ImageError, `${file}, round ${round}: ${error}`);
      errors++;
    }
  }
  assert(errors > 50, `only ${errors} of 300 mutated files were refused`);
});
