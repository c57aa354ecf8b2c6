import { decodeByRuntime } from "./bitmap.ts";
import { applyOrientation } from "./exif.ts";
import { ImageError } from "./image_error.ts";
import {
  type ImageFormat,
  type ImageHeader,
  readImageHeader,
} from "./image_header.ts";
import { type Pixels, wordsOf } from "./pixels.ts";
import { withoutTransparentColor } from "./png_header.ts";

/** Which images are refused before anything is decoded. */
export interface DecodeOptions {
  /** The most pixels an image may have, 100 million by default. */
  readonly maxPixels?: number;
}

const MAX_PIXELS = 100e6;
/** Beyond it a decoder is not kept: WebAssembly memory never shrinks. */
const KEPT_DECODER_PIXELS = 16e6;
const OPAQUE = new Uint32Array(new Uint8Array([0, 0, 0, 255]).buffer)[0]!;

/**
 * Decodes a PNG, JPEG, WebP, BMP or GIF file (its first frame) into RGBA.
 *
 * Alpha is dropped, not composited (as Pillow's `convert("RGB")`): every alpha
 * is 255 and the colours are those stored. Of 16 bits the high 8 are taken (as
 * Pillow does for RGB; 16-bit grey it clips). A JPEG is turned upright by its
 * EXIF data.
 *
 * PNG and JPEG are decoded by imagescript where npm modules can be loaded
 * (Deno, Node), in a browser by the browser; other formats always by the
 * runtime. PNG of 8 bits, BMP and lossless WebP are exact either way, but in a
 * browser without WebGL not where they are translucent; decoders of JPEG and of
 * 16 bits differ by a few levels.
 *
 * @param name Its name or path, for messages.
 * @param options How large an image may be.
 * @throws {ImageError} If the file is no such image, truncated, damaged or
 * too large. The size is checked before anything is decoded.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { decodeImage } from "@patchcore/webgpu/core";
 *
 * const path = "tests/golden/images/rgb.png";
 * const pixels = await decodeImage(await Deno.readFile(path), path);
 * assertEquals(pixels.data.length, pixels.width * pixels.height * 4);
 * ```
 */
export async function decodeImage(
  bytes: Uint8Array,
  name: string,
  options: DecodeOptions = {},
): Promise<Pixels> {
  const header = readImageHeader(bytes, name);
  checkSize(header, name, options.maxPixels ?? MAX_PIXELS);
  const decode = await decoderOf(header);
  let pixels: Pixels;
  try {
    const opaque = header.format === "PNG"
      ? withoutTransparentColor(bytes)
      : bytes;
    pixels = await decode(opaque);
  } catch (cause) {
    decoders.clear();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ImageError(
      name,
      `the ${header.format} file is damaged or of an unknown kind (${reason})`,
      "copy it again, or convert it to PNG",
      { cause },
    );
  }
  if (pixels.width * pixels.height > KEPT_DECODER_PIXELS) decoders.clear();
  const words = wordsOf(pixels);
  for (let i = 0; i < words.length; i++) words[i]! |= OPAQUE;
  const { width, height } = pixels;
  const data = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  return { width, height, data };
}

function checkSize(header: ImageHeader, name: string, most: number): void {
  const { width, height } = header;
  if (width * height <= most) return;
  throw new ImageError(
    name,
    `it has ${width} × ${height} pixels, at most ${most} are allowed`,
    "shrink it, or allow more (maxPixels)",
  );
}

type Decoder = (bytes: Uint8Array) => Pixels | Promise<Pixels>;

/**
 * Decoders that are kept: WebAssembly instances pile up faster than they are
 * collected. After an error or a very large image they are made anew.
 */
const decoders = new Map<ImageFormat, Promise<Decoder>>();

async function decoderOf(header: ImageHeader): Promise<Decoder> {
  const { format, orientation } = header;
  if (format !== "PNG" && format !== "JPEG" || !canLoadNpm()) {
    return decodeByRuntime;
  }
  let opening = decoders.get(format);
  if (opening === undefined) {
    opening = format === "PNG" ? openPngDecoder() : openJpegDecoder();
    decoders.set(format, opening);
  }
  const decode = await opening;
  return async (bytes) => applyOrientation(await decode(bytes), orientation);
}

/** Whether npm modules that read files can be loaded: Deno and Node. */
function canLoadNpm(): boolean {
  const { process } = globalThis as {
    process?: { versions?: { node?: string } };
  };
  return process?.versions?.node !== undefined;
}

interface PngModule {
  init(): Promise<{ decode(bytes: Uint8Array): PngImage }>;
}

interface PngImage {
  readonly width: number;
  readonly height: number;
  readonly framebuffer: Uint8Array;
}

async function openPngDecoder(): Promise<Decoder> {
  const module = await import("npm:imagescript@1.3.1/wasm/node/png.js") as {
    default: PngModule;
  };
  const decoder = await module.default.init();
  return (bytes) => {
    const { width, height, framebuffer: data } = decoder.decode(bytes);
    return { width, height, data };
  };
}

interface JpegModule {
  init(): Promise<{ decode(bytes: Uint8Array): JpegImage }>;
}

interface JpegImage {
  readonly width: number;
  readonly height: number;
  readonly format: number;
  readonly buffer: Uint8Array;
}

async function openJpegDecoder(): Promise<Decoder> {
  const module = await import("npm:imagescript@1.3.1/wasm/node/jpeg.js") as {
    default: JpegModule;
  };
  const decoder = await module.default.init();
  return (bytes) => {
    const { width, height, format, buffer } = decoder.decode(bytes);
    const convert = [rgbaOfGrey, rgbaOfRgb, rgbaOfCmyk][format];
    if (convert === undefined) throw new Error(`Pixel format ${format}`);
    return { width, height, data: convert(buffer) };
  };
}

/** RGBA of one grey byte a pixel; every alpha is 255. */
function rgbaOfGrey(grey: Uint8Array): Uint8Array<ArrayBuffer> {
  const rgba = new Uint8Array(grey.length * 4).fill(255);
  for (let i = 0; i < grey.length; i++) {
    rgba[i * 4] = rgba[i * 4 + 1] = rgba[i * 4 + 2] = grey[i]!;
  }
  return rgba;
}

/** RGBA of red, green and blue. */
function rgbaOfRgb(rgb: Uint8Array): Uint8Array<ArrayBuffer> {
  const rgba = new Uint8Array(rgb.length / 3 * 4).fill(255);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    rgba[to] = rgb[from]!;
    rgba[to + 1] = rgb[from + 1]!;
    rgba[to + 2] = rgb[from + 2]!;
  }
  return rgba;
}

/** RGBA of cyan, magenta, yellow and black (255 is full ink), as Pillow. */
function rgbaOfCmyk(cmyk: Uint8Array): Uint8Array<ArrayBuffer> {
  const rgba = new Uint8Array(cmyk.length).fill(255);
  for (let i = 0; i < cmyk.length; i += 4) {
    const light = 255 - cmyk[i + 3]!;
    rgba[i] = light - multiply(cmyk[i]!, light);
    rgba[i + 1] = light - multiply(cmyk[i + 1]!, light);
    rgba[i + 2] = light - multiply(cmyk[i + 2]!, light);
  }
  return rgba;
}

/** `a · b / 255`, rounded. */
function multiply(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}
