import { avifSize, isAvif } from "./avif_header.ts";
import { checkExtent, ImageError } from "./image_error.ts";
import type { Orientation } from "./exif.ts";
import { readJpegHeader } from "./jpeg_header.ts";
import { readPngHeader } from "./png_header.ts";
import { describeForeign } from "./foreign.ts";
import { isTiff } from "./tiff_directory.ts";
import { readTiffHeader } from "./tiff_header.ts";

/** Formats that can be read. */
export type ImageFormat =
  | "PNG"
  | "JPEG"
  | "TIFF"
  | "WebP"
  | "BMP"
  | "GIF"
  | "AVIF";

/** What a file says of its image before it is decoded. */
export interface ImageHeader {
  /** The format, by content; the file's name does not matter. */
  readonly format: ImageFormat;
  /** Columns as stored, before any orientation is applied. */
  readonly width: number;
  /** Rows as stored. */
  readonly height: number;
  /** How a JPEG, PNG or TIFF is stored; 1 for other formats. */
  readonly orientation: Orientation;
  /** Bits of a sample, where they may be other than 8. */
  readonly bits?: number;
  /** Channels of a JPEG. */
  readonly channels?: number;
  /** Images in a TIFF, of which the first one is read. */
  readonly pages?: number;
}

/**
 * Recognises an image and reads its size, without decoding it. PNG and JPEG
 * files are followed to their end marker and the blocks of a TIFF are looked
 * for, so that a truncated file is refused.
 *
 * @throws {ImageError} If it is no image that can be read, or truncated.
 */
export function readImageHeader(bytes: Uint8Array, name: string): ImageHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const header = headerOf(bytes, view, name);
  if (header === undefined) {
    throw new ImageError(name, ...describeForeign(bytes));
  }
  checkExtent(header, name);
  return header;
}

function headerOf(
  bytes: Uint8Array,
  view: DataView,
  name: string,
): ImageHeader | undefined {
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) {
    const { width, height, orientation, bits } = readPngHeader(bytes, name);
    return { format: "PNG", width, height, orientation, bits };
  }
  if (startsWith(bytes, [0xff, 0xd8, 0xff])) {
    return { format: "JPEG", ...readJpegHeader(bytes, name) };
  }
  if (isTiff(bytes)) {
    const { width, height, orientation, bits, pages } = readTiffHeader(
      bytes,
      name,
    );
    return { format: "TIFF", width, height, orientation, bits, pages };
  }
  if (isAvif(bytes)) {
    const size = avifSize(bytes);
    if (size !== undefined) return { format: "AVIF", ...size, orientation: 1 };
    throw new ImageError(
      name,
      "the AVIF file tells no size, or ends before it does",
      "copy or download it again",
    );
  }
  const size = webpSize(bytes, view) ?? gifSize(bytes, view, name) ??
    bmpSize(bytes, view);
  return size && { ...size, orientation: 1 };
}

type Size = Omit<ImageHeader, "orientation">;

function gifSize(
  bytes: Uint8Array,
  view: DataView,
  name: string,
): Size | undefined {
  if (bytes.length < 13 || !/^GIF8[79]a/.test(ascii(bytes, 0, 6))) return;
  const width = view.getUint16(6, true);
  const height = view.getUint16(8, true);
  const frame = firstGifFrame(bytes, view);
  if (
    width > 0 && height > 0 && frame !== undefined &&
    (frame.right > width || frame.bottom > height)
  ) {
    throw new ImageError(
      name,
      `the GIF file's first frame reaches to ${frame.right} × ${frame.bottom} pixels, its screen has ${width} × ${height}`,
      "convert it to PNG",
    );
  }
  return { format: "GIF", width, height };
}

/** Right and bottom edge of a GIF's first frame; nothing where it has none. */
function firstGifFrame(
  bytes: Uint8Array,
  view: DataView,
): { right: number; bottom: number } | undefined {
  const [extension, frame] = [0x21, 0x2c];
  const flags = bytes[10]!;
  let at = 13 + (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  while (bytes[at] === extension) {
    at += 2;
    while (bytes[at]) at += 1 + bytes[at]!;
    at++;
  }
  if (bytes[at] !== frame || at + 9 > bytes.length) return undefined;
  return {
    right: view.getUint16(at + 1, true) + view.getUint16(at + 5, true),
    bottom: view.getUint16(at + 3, true) + view.getUint16(at + 7, true),
  };
}

function bmpSize(bytes: Uint8Array, view: DataView): Size | undefined {
  if (bytes.length < 26 || ascii(bytes, 0, 2) !== "BM") return;
  const core = view.getUint32(14, true) === 12;
  return {
    format: "BMP",
    width: core ? view.getUint16(18, true) : view.getInt32(18, true),
    height: core ? view.getUint16(20, true) : Math.abs(view.getInt32(22, true)),
  };
}

function webpSize(bytes: Uint8Array, view: DataView): Size | undefined {
  if (bytes.length < 30 || ascii(bytes, 0, 4) !== "RIFF") return;
  if (ascii(bytes, 8, 12) !== "WEBP") return;
  const format = "WebP";
  switch (ascii(bytes, 12, 16)) {
    case "VP8 ": {
      const width = view.getUint16(26, true) & 0x3fff;
      const height = view.getUint16(28, true) & 0x3fff;
      return { format, width, height };
    }
    case "VP8L": {
      const bits = view.getUint32(21, true);
      const width = (bits & 0x3fff) + 1;
      return { format, width, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case "VP8X": {
      const width = (view.getUint32(24, true) & 0xffffff) + 1;
      return { format, width, height: (view.getUint32(26, true) >>> 8) + 1 };
    }
  }
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}
