import { assertEquals } from "@std/assert";
import { decodeByRuntime } from "../../../src/core/images/bitmap.ts";

const FOLDER = new URL("../../golden/images/", import.meta.url);

function open(file: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(file, FOLDER));
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
