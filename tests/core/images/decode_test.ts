import { assert, assertEquals } from "@std/assert";
import { decodeByRuntime } from "../../../src/core/images/bitmap.ts";
import { decodeImage } from "../../../src/core/images/decode.ts";
import type { Pixels } from "../../../src/core/images/pixels.ts";

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
        const tolerance = one.tolerance && 12;
        const pixels = await decodeImage(open(one.file), one.file);
        assertPixels(pixels, { ...one, tolerance });
      });
    }
  } finally {
    Object.defineProperty(globalThis, "process", process);
  }
});

/** Deno writes no BMP of 16 bits a channel and reads no CMYK as Pillow does. */
function runtimeReads(file: string): boolean {
  return !/16|cmyk/.test(file);
}

Deno.test("decodeByRuntime() takes the pixels from a 2D canvas where there is one", async () => {
  const drawn: string[] = [];
  class Canvas {
    getContext(kind: string): unknown {
      assertEquals(kind, "2d");
      return {
        drawImage: (bitmap: ImageBitmap, x: number, y: number) =>
          drawn.push(`${bitmap.width} × ${bitmap.height} at ${x}, ${y}`),
        getImageData: (
          x: number,
          _y: number,
          width: number,
          height: number,
        ) => {
          const data = new Uint8ClampedArray(width * height * 4).fill(255 - x);
          return { width, height, data };
        },
      };
    }
  }
  const original = globalThis.OffscreenCanvas;
  Object.assign(globalThis, { OffscreenCanvas: Canvas });
  try {
    const { width, height, data } = await decodeByRuntime(open("rgb.png"));
    assertEquals([width, height, data.length], [24, 17, 24 * 17 * 4]);
    assertEquals(drawn, ["24 × 17 at 0, 0"]);
  } finally {
    Object.assign(globalThis, { OffscreenCanvas: original });
  }
});
