import type { SampleRange } from "../settings/settings.ts";
import { decodeByRuntime } from "./bitmap.ts";
import { rgbOfCmyk } from "./cmyk.ts";
import { applyOrientation } from "./exif.ts";
import { ImageError } from "./image_error.ts";
import {
  type ImageFormat,
  type ImageHeader,
  readImageHeader,
} from "./image_header.ts";
import { openCmykDecoder, openPngDecoder } from "./imagescript.ts";
import { levelsOf } from "./levels.ts";
import { openJpegDecoder } from "./mozjpeg.ts";
import { type Pixels, wordsOf } from "./pixels.ts";
import { plainPng } from "./png_header.ts";
import { decodePngSamples } from "./png_samples.ts";
import {
  extentOf,
  isDeep,
  type SampleExtent,
  type Samples,
} from "./samples.ts";
import { readTiffHeader } from "./tiff_header.ts";
import { decodeTiffSamples } from "./tiff_samples.ts";

/** Which images are refused before anything is decoded. */
export interface SizeLimit {
  /** The most pixels an image may have, 100 million by default. */
  readonly maxPixels?: number | undefined;
}

/** How a file becomes pixels. */
export interface DecodeOptions extends SizeLimit {
  /**
   * Which samples of a file of more than 8 bits a sample become black and white;
   * by default all that its bits allow.
   */
  readonly range?: SampleRange | undefined;
}

/** An image as its file stores it, not yet turned upright. */
export interface StoredImage {
  /** The file, as the caller named it. */
  readonly name: string;
  /** What the file says of it. */
  readonly header: ImageHeader;
  /** Levels, or samples where the file may have others than 8 bits. */
  readonly content: Pixels | Samples;
}

const MAX_PIXELS = 100e6;
/** Beyond it a decoder is not kept: WebAssembly memory never shrinks. */
const KEPT_DECODER_PIXELS = 16e6;
const OPAQUE = new Uint32Array(new Uint8Array([0, 0, 0, 255]).buffer)[0]!;

/**
 * Decodes a PNG, JPEG, TIFF, WebP, BMP, GIF or AVIF file (its first frame or
 * page) into RGBA.
 *
 * Alpha is dropped, not composited (as Pillow's `convert("RGB")`): every alpha
 * is 255 and the colours are those stored. Of more than 8 bits a sample the
 * highest 8 are taken, or those that the range tells. A JPEG, PNG or TIFF is
 * turned upright by its EXIF data.
 *
 * Everything is exact to the level, as Pillow decodes it, with these exceptions:
 * JPEG of CMYK or with every other row of colour left out but no column (4:4:0)
 * and lossy WebP, by some levels; and in a browser JPEG where the page's policy
 * forbids WebAssembly, and translucent PNG of 8 bits where there is no WebGL.
 * AVIF is decoded where the runtime does it: browsers do, Deno does not.
 *
 * @param name Its name or path, for messages.
 * @param options How large an image may be, and the range of its samples.
 * @throws {ImageError} If the file is no such image, truncated, damaged or
 * too large, or its samples are floats and there is no range. The size is
 * checked before anything is decoded.
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
  return uprightPixels(await decodeStored(bytes, name, options), options.range);
}

/**
 * Decodes an image as its file stores it.
 *
 * @throws {ImageError} As {@linkcode decodeImage}.
 */
export async function decodeStored(
  bytes: Uint8Array,
  name: string,
  { maxPixels = MAX_PIXELS }: SizeLimit = {},
): Promise<StoredImage> {
  const header = readImageHeader(bytes, name);
  checkSize(header, name, maxPixels);
  try {
    return { name, ...await decodeContent(bytes, header, name) };
  } catch (cause) {
    decoders.clear();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ImageError(
      name,
      header.format === "AVIF"
        ? "this runtime decodes no AVIF, or the file is damaged"
        : `the ${header.format} file is damaged or of an unknown kind (${reason})`,
      header.format === "AVIF"
        ? "convert it to PNG, or use a browser"
        : "copy it again, or convert it to PNG",
      { cause },
    );
  }
}

/**
 * Levels of an image, opaque and upright.
 *
 * @throws {ImageError} If its samples are floats and there is no range, or one
 * of them is NaN.
 */
export function uprightPixels(
  { name, header, content }: StoredImage,
  range?: SampleRange,
): Pixels {
  let pixels: Pixels;
  if ("channels" in content) {
    pixels = aboutSamples(name, () => levelsOf(content, range));
  } else {
    const words = wordsOf(content);
    for (let i = 0; i < words.length; i++) words[i]! |= OPAQUE;
    const { buffer, byteOffset, byteLength } = words;
    const data = new Uint8Array(buffer, byteOffset, byteLength);
    pixels = { width: content.width, height: content.height, data };
  }
  return applyOrientation(pixels, header.orientation);
}

/**
 * How far the samples of an image reach.
 *
 * @returns Nothing where the file has 8 bits a sample.
 * @throws {ImageError} If one of them is NaN.
 */
export function storedExtent(
  { name, content }: StoredImage,
): SampleExtent | undefined {
  if (!("channels" in content) || !isDeep(content)) return undefined;
  return aboutSamples(name, () => extentOf(content));
}

function aboutSamples<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ImageError(
      name,
      cause.message,
      "say with --range LO..HI (range in the library) what is black and white",
      { cause },
    );
  }
}

function checkSize(header: ImageHeader, name: string, most: number): void {
  const { width, height } = header;
  if (width * height <= most) return;
  throw new ImageError(
    name,
    `it has ${width} × ${height} pixels, at most ${most} are allowed`,
    "shrink it, or allow more (--max-pixels, maxPixels in the library)",
  );
}

/** Decodes a file; the runtime turns JPEG upright by itself. */
async function decodeContent(
  bytes: Uint8Array,
  header: ImageHeader,
  name: string,
): Promise<Omit<StoredImage, "name">> {
  if (header.format === "TIFF") {
    const tiff = readTiffHeader(bytes, name);
    return { header, content: await decodeTiffSamples(bytes, tiff) };
  }
  if (header.format === "PNG" && header.bits === 16) {
    return { header, content: await decodePngSamples(bytes, name) };
  }
  const plain = header.format === "PNG" ? plainPng(bytes) : bytes;
  const decode = await decoderOf(header);
  if (decode === undefined) {
    const content = await decodeByRuntime(plain);
    const isTurned = header.format === "JPEG";
    return {
      header: isTurned ? { ...header, orientation: 1 } : header,
      content,
    };
  }
  const content = decode(plain);
  if (content.width * content.height > KEPT_DECODER_PIXELS) decoders.clear();
  return { header, content };
}

type Decoder = (bytes: Uint8Array) => Pixels | Samples;

/** What decoders are kept for; JPEG of four channels takes one of its own. */
type Kind = ImageFormat | "CMYK";

/**
 * Decoders that are kept: WebAssembly instances pile up faster than they are
 * collected. After an error or a very large image they are made anew.
 */
const decoders = new Map<Kind, Promise<Decoder | undefined>>();

/** Decoders that are not the runtime's. */
const OPENERS: Partial<Record<Kind, () => Promise<Decoder | undefined>>> = {
  PNG: async () => canLoadNpm() ? await openPngDecoder() : undefined,
  JPEG: openJpegDecoder,
  CMYK: async () => canLoadNpm() ? await openInkDecoder() : undefined,
};

async function openInkDecoder(): Promise<Decoder> {
  const decode = await openCmykDecoder();
  return (bytes) => {
    const { width, height, cmyk } = decode(bytes);
    const data = rgbOfCmyk(cmyk);
    return { width, height, channels: 3, bits: 8, kind: "unsigned", data };
  };
}

/** The decoder of a kind of image; nothing where it is the runtime's. */
async function decoderOf(
  { format, channels }: ImageHeader,
): Promise<Decoder | undefined> {
  const kind = format === "JPEG" && channels === 4 ? "CMYK" : format;
  let opening = decoders.get(kind);
  if (opening === undefined) {
    opening = OPENERS[kind]?.() ?? Promise.resolve(undefined);
    decoders.set(kind, opening);
  }
  return await opening;
}

/** Whether npm modules that read files can be loaded: Deno and Node. */
function canLoadNpm(): boolean {
  const { process } = globalThis as {
    process?: { versions?: { node?: string } };
  };
  return process?.versions?.node !== undefined;
}
