import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeImage } from "../../../src/core/images/decode.ts";
import { openJpegDecoder } from "../../../src/core/images/mozjpeg.ts";
import { MOZJPEG_WASM } from "../../../src/core/images/mozjpeg_wasm.ts";
import { packagedWasm } from "../../../tools/embed_mozjpeg.ts";

const FOLDER = new URL("../../golden/camera/", import.meta.url);

function open(file: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(file, FOLDER));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const END = Uint8Array.of(0xff, 0xd9);

Deno.test("MOZJPEG_WASM is what the package has", async () => {
  const gzip = new Blob([Uint8Array.fromBase64(MOZJPEG_WASM)]).stream()
    .pipeThrough(new DecompressionStream("gzip"));
  assertEquals(await new Response(gzip).bytes(), await packagedWasm());
});

Deno.test("openJpegDecoder() decodes one file after the other", async () => {
  const decode = await openJpegDecoder();
  assert(decode !== undefined);
  const files = ["pil_baseline_444_30.jpg", "pil_grey_75.jpg"];
  const first = files.map((file) => decode(open(file)).data);
  files.forEach((file, i) => assertEquals(decode(open(file)).data, first[i]));
});

Deno.test.each([
  ["baseline", "pil_baseline_444_30.jpg"],
  ["progressive", "pil_progressive_422_30.jpg"],
  ["grey", "pil_grey_75.jpg"],
])(
  "openJpegDecoder() refuses %s data that ends before its image",
  async (_, file) => {
    const decode = await openJpegDecoder();
    const bytes = open(file);
    const part = bytes.subarray(0, Math.floor(bytes.length * 0.7));
    assertThrows(() => decode!(joined(part, END)), Error);
  },
);

Deno.test("openJpegDecoder() tells what libjpeg says of no JPEG", async () => {
  const decode = await openJpegDecoder();
  const error = assertThrows(() => decode!(new Uint8Array(40)), Error);
  assert(/Not a JPEG file/.test(error.message), error.message);
});

Deno.test("decodeImage() takes a JPEG with bytes of no use before its end", async () => {
  const bytes = open("pil_baseline_444_95.jpg");
  const padded = joined(bytes.subarray(0, -2), new Uint8Array(20), END);
  assertEquals(
    await decodeImage(padded, "padded"),
    await decodeImage(bytes, "plain"),
  );
});

Deno.test("decodeImage() goes on after a damaged JPEG", async () => {
  const bytes = open("pil_baseline_444_95.jpg");
  const good = await decodeImage(bytes, "good");
  for (let i = 0; i < 5; i++) {
    const part = bytes.subarray(0, bytes.length / 2);
    await decodeImage(joined(part, END), "bad").then(
      () => assert(false, "It is taken"),
      (error) => assertEquals(error.name, "ImageError"),
    );
    assertEquals(await decodeImage(bytes, "good"), good);
  }
});
