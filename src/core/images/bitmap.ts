/**
 * Decoding by the runtime itself: `createImageBitmap`, and a canvas to get at
 * the pixels.
 *
 * @module
 */
import type { Pixels } from "./pixels.ts";

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

/** What is used of WebGL 2, with the standard's numbers of its constants. */
interface WebGl {
  createTexture(): object;
  bindTexture(target: number, texture: object): void;
  pixelStorei(name: number, value: number | boolean): void;
  texImage2D(
    target: number,
    level: number,
    internalFormat: number,
    format: number,
    type: number,
    source: ImageBitmap,
  ): void;
  createFramebuffer(): object;
  bindFramebuffer(target: number, framebuffer: object): void;
  framebufferTexture2D(
    target: number,
    attachment: number,
    textureTarget: number,
    texture: object,
    level: number,
  ): void;
  readPixels(
    x: number,
    y: number,
    width: number,
    height: number,
    format: number,
    type: number,
    pixels: Uint8Array,
  ): void;
  getError(): number;
  getExtension(name: string): { loseContext(): void } | null;
}

const TEXTURE_2D = 0x0de1;
const UNPACK_PREMULTIPLY_ALPHA = 0x9241;
const UNPACK_COLORSPACE_CONVERSION = 0x9243;
const RGBA = 0x1908;
const UNSIGNED_BYTE = 0x1401;
const FRAMEBUFFER = 0x8d40;
const COLOR_ATTACHMENT0 = 0x8ce0;

/**
 * The pixels of a bitmap with their colours as stored, whatever their alpha;
 * undefined where there is no WebGL 2, or the bitmap is too large for it.
 *
 * @param bitmap Made with `premultiplyAlpha: "none"`.
 */
function readByWebGl(bitmap: ImageBitmap): Pixels | undefined {
  const { width, height } = bitmap;
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2") as WebGl | null;
  if (gl === null) return undefined;
  const texture = gl.createTexture();
  gl.bindTexture(TEXTURE_2D, texture);
  gl.pixelStorei(UNPACK_PREMULTIPLY_ALPHA, false);
  gl.pixelStorei(UNPACK_COLORSPACE_CONVERSION, 0);
  gl.texImage2D(TEXTURE_2D, 0, RGBA, RGBA, UNSIGNED_BYTE, bitmap);
  gl.bindFramebuffer(FRAMEBUFFER, gl.createFramebuffer());
  gl.framebufferTexture2D(
    FRAMEBUFFER,
    COLOR_ATTACHMENT0,
    TEXTURE_2D,
    texture,
    0,
  );
  const data = new Uint8Array(width * height * 4);
  gl.readPixels(0, 0, width, height, RGBA, UNSIGNED_BYTE, data);
  const failed = gl.getError() !== 0;
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return failed ? undefined : { width, height, data };
}
