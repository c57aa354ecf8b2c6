/**
 * Decoding by the runtime itself: `createImageBitmap`, and a canvas to get at
 * the pixels.
 *
 * @module
 */
import type { Pixels } from "./pixels.ts";
import { readByWebGl } from "./webgl.ts";

/** What is used of a browser's 2D context; not every runtime has one. */
interface Context2d {
  drawImage(image: ImageBitmap, x: number, y: number): void;
  getImageData(x: number, y: number, width: number, height: number): Pixels;
}

/**
 * Decodes an image with the runtime's own decoder. The orientation of a JPEG
 * is applied. In a browser the pixels pass through a 2D canvas, or through
 * WebGL where some are translucent: a canvas loses the colours below transparent
 * pixels. Only in a browser without WebGL are those not exact.
 *
 * @throws {Error} If the runtime cannot decode it, or has no decoder.
 */
export async function decodeByRuntime(bytes: Uint8Array): Promise<Pixels> {
  if (typeof createImageBitmap !== "function") {
    throw new Error("This runtime has no createImageBitmap");
  }
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>]);
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext("2d", {
    willReadFrequently: true,
  }) as Context2d | null;
  const bitmap = await createImageBitmap(blob, {
    colorSpaceConversion: "none",
    ...(context !== null && { premultiplyAlpha: "none" }),
  });
  const { width, height } = bitmap;
  canvas.width = width;
  canvas.height = height;
  if (context !== null) {
    context.drawImage(bitmap, 0, 0);
    const pixels = context.getImageData(0, 0, width, height);
    const exact = isOpaque(pixels) ? pixels : readByWebGl(bitmap) ?? pixels;
    bitmap.close();
    return exact;
  }
  const renderer = canvas.getContext("bitmaprenderer");
  if (renderer === null) throw new Error("This runtime has no canvas");
  renderer.transferFromImageBitmap(bitmap);
  const bmp = await canvas.convertToBlob({ type: "image/bmp" });
  return readBmp(new Uint8Array(await bmp.arrayBuffer()));
}

function isOpaque({ data }: Pixels): boolean {
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) return false;
  return true;
}

/** Reads the BMP that a runtime wrote: 8 bits grey, 24 or 32 bits colour. */
function readBmp(bytes: Uint8Array): Pixels {
  const view = new DataView(bytes.buffer);
  const start = view.getUint32(10, true);
  const width = view.getInt32(18, true);
  const height = view.getInt32(22, true);
  const depth = view.getUint16(28, true);
  if (height <= 0 || ![8, 24, 32].includes(depth)) {
    throw new Error(`The runtime wrote a BMP of ${depth} bits and ${height}`);
  }
  const step = depth / 8;
  const stride = Math.ceil(width * step / 4) * 4;
  const data = new Uint8Array(width * height * 4);
  let to = 0;
  for (let y = height - 1; y >= 0; y--) {
    let from = start + y * stride;
    for (let x = 0; x < width; x++, from += step, to += 4) {
      data[to] = bytes[depth === 8 ? from : from + 2]!;
      data[to + 1] = bytes[depth === 8 ? from : from + 1]!;
      data[to + 2] = bytes[from]!;
      data[to + 3] = 255;
    }
  }
  return { width, height, data };
}
