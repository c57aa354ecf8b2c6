import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { avifSize, isAvif } from "../../../src/core/images/avif_header.ts";
import { decodeImage } from "../../../src/core/images/decode.ts";
import { ImageError } from "../../../src/core/images/image_error.ts";
import { readImageHeader } from "../../../src/core/images/image_header.ts";

const FILE = new URL("../../golden/camera/avifenc.avif", import.meta.url);

function open(): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(FILE);
}

Deno.test("avifSize() reads the size of what avifenc wrote", () => {
  assertEquals(isAvif(open()), true);
  assertEquals(avifSize(open()), { width: 64, height: 48 });
});

Deno.test("isAvif() knows a file whose first brand is another", () => {
  const bytes = open();
  bytes.set(new TextEncoder().encode("mif1"), 8);
  assertEquals(isAvif(bytes), true);
  assertEquals(isAvif(new Uint8Array(40)), false);
});

Deno.test("readImageHeader() refuses every beginning of an AVIF file without a size", () => {
  const bytes = open();
  for (let length = 12; length < 100; length++) {
    assertThrows(
      () => readImageHeader(bytes.subarray(0, length), "a.avif"),
      ImageError,
      'Cannot read image "a.avif": the AVIF file tells no size',
    );
  }
});

Deno.test("decodeImage() says that Deno decodes no AVIF, and checks its size before", async () => {
  await assertRejects(
    () => decodeImage(open(), "a.avif"),
    ImageError,
    'Cannot read image "a.avif": this runtime decodes no AVIF, or the file is damaged; convert it to PNG, or use a browser',
  );
  await assertRejects(
    () => decodeImage(open(), "a.avif", { maxPixels: 100 }),
    ImageError,
    "it has 64 × 48 pixels, at most 100 are allowed",
  );
});
