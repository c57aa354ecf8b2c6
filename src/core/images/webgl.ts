import type { Pixels } from "./pixels.ts";

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
export function readByWebGl(bitmap: ImageBitmap): Pixels | undefined {
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
