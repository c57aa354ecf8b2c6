import { type Orientation, readOrientation } from "./exif.ts";
import { ImageError } from "./image_error.ts";

const SIGNATURE_BYTES = 8;
const IHDR = 0x49484452;
const IDAT = 0x49444154;
const IEND = 0x49454e44;
const TRNS = 0x74524e53;
const EXIF = 0x65584966;

/** What a PNG's chunks say. */
interface PngHeader {
  /** Columns as stored. */
  readonly width: number;
  /** Rows as stored. */
  readonly height: number;
  /** Bits of a sample. */
  readonly bits: number;
  /** 0: grey, 2: RGB, 3: palette, 4: grey with alpha, 6: RGBA. */
  readonly colorType: number;
  /** Whether it is stored in seven passes. */
  readonly isInterlaced: boolean;
  /** How it is stored, from its `eXIf` chunk. */
  readonly orientation: Orientation;
  /** The parts of its compressed data. */
  readonly data: readonly Uint8Array<ArrayBuffer>[];
}

/**
 * Reads what a PNG says of itself and follows its chunks to the end.
 *
 * @param bytes A file that begins with the PNG signature.
 * @throws {ImageError} If the chunks do not lead to an end.
 */
export function readPngHeader(bytes: Uint8Array, name: string): PngHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = SIGNATURE_BYTES;
  let header: Omit<PngHeader, "orientation" | "data"> | undefined;
  let orientation: Orientation = 1;
  const data: Uint8Array<ArrayBuffer>[] = [];
  while (at + 12 <= bytes.length) {
    const length = view.getUint32(at);
    const type = view.getUint32(at + 4);
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (header === undefined) {
      if (type !== IHDR || length !== 13 || at + 25 > bytes.length) break;
      header = {
        width: view.getUint32(at + 8),
        height: view.getUint32(at + 12),
        bits: content[8]!,
        colorType: content[9]!,
        isInterlaced: content[12] === 1,
      };
    }
    if (type === EXIF) orientation = readOrientation(content);
    if (type === IDAT) data.push(content as Uint8Array<ArrayBuffer>);
    if (type === IEND) {
      if (data.length > 0) return { ...header, orientation, data };
      throw new ImageError(name, "the PNG file has no image data");
    }
    at += 12 + length;
  }
  if (header === undefined) {
    throw new ImageError(name, "the PNG file does not begin with its header");
  }
  throw new ImageError(
    name,
    `the PNG file is truncated: it ends after ${bytes.length} bytes, before its end marker`,
    "copy or download it again",
  );
}

/**
 * A PNG file without the chunks that some decoders act on: the one colour that
 * is transparent, which they blacken where alpha is to be dropped, and the
 * orientation.
 *
 * @param bytes A file that {@linkcode readPngHeader} accepts.
 * @returns The same bytes where there are no such chunks.
 */
export function plainPng(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts: Uint8Array[] = [];
  let kept = 0;
  for (let at = SIGNATURE_BYTES, type = 0; type !== IEND;) {
    type = view.getUint32(at + 4);
    const end = at + 12 + view.getUint32(at);
    if (type === TRNS || type === EXIF) {
      parts.push(bytes.subarray(kept, at));
      kept = end;
    }
    at = end;
  }
  if (parts.length === 0) return bytes;
  parts.push(bytes.subarray(kept));
  const plain = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let to = 0;
  for (const part of parts) {
    plain.set(part, to);
    to += part.length;
  }
  return plain;
}
