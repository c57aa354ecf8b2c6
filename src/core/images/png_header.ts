import { ImageError } from "./image_error.ts";

const SIGNATURE_BYTES = 8;
const BIT_DEPTH_AT = 24;
const IHDR = 0x49484452;
const IDAT = 0x49444154;
const IEND = 0x49454e44;
const TRNS = 0x74524e53;

/**
 * Reads a PNG's size and follows its chunks to the end.
 *
 * @param bytes A file that begins with the PNG signature.
 * @throws {ImageError} If the chunks do not lead to an end.
 */
export function readPngHeader(
  bytes: Uint8Array,
  name: string,
): { width: number; height: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = SIGNATURE_BYTES;
  let size: { width: number; height: number } | undefined;
  let hasData = false;
  while (at + 12 <= bytes.length) {
    const length = view.getUint32(at);
    const type = view.getUint32(at + 4);
    if (size === undefined) {
      if (type !== IHDR || length !== 13 || at + 25 > bytes.length) break;
      size = { width: view.getUint32(at + 8), height: view.getUint32(at + 12) };
    }
    if (type === IDAT) hasData = true;
    if (type === IEND) {
      if (hasData) return size;
      throw new ImageError(name, "the PNG file has no image data");
    }
    at += 12 + length;
  }
  if (size === undefined) {
    throw new ImageError(name, "the PNG file does not begin with its header");
  }
  throw new ImageError(
    name,
    `the PNG file is truncated: it ends after ${bytes.length} bytes, before its end marker`,
    "copy or download it again",
  );
}

/** Whether a file is a PNG of 16 bits a sample. */
export function hasSixteenBits(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  return first === 0x89 && second === 0x50 && bytes[BIT_DEPTH_AT] === 16;
}

/**
 * A PNG file without the chunk that makes one colour transparent: decoders
 * blacken that colour, but alpha is to be dropped.
 *
 * @param bytes A file that {@linkcode readPngHeader} accepts.
 * @returns The same bytes where there is no such chunk.
 */
export function withoutTransparentColor(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = SIGNATURE_BYTES;
  while (view.getUint32(at + 4) !== IDAT) {
    const end = at + 12 + view.getUint32(at);
    if (view.getUint32(at + 4) === TRNS) {
      const shorter = new Uint8Array(bytes.length - (end - at));
      shorter.set(bytes.subarray(0, at));
      shorter.set(bytes.subarray(end), at);
      return shorter;
    }
    at = end;
  }
  return bytes;
}
