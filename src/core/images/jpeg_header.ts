import { ImageError } from "./image_error.ts";
import { type Orientation, readOrientation } from "./exif.ts";

const EOI = 0xd9;
const APP1 = 0xe1;

/** What a JPEG's segments say. */
interface JpegHeader {
  /** Columns as stored. */
  readonly width: number;
  /** Rows as stored. */
  readonly height: number;
  /** 1: grey, 3: colour, 4: CMYK. */
  readonly channels: number;
  /** How it is stored, from its EXIF data. */
  readonly orientation: Orientation;
}

/**
 * Reads a JPEG's size and orientation and follows its segments and scans to
 * the end marker: a decoder may fill with grey what a truncated file lacks.
 *
 * @param bytes A file that begins with the JPEG start marker.
 * @throws {ImageError} If it is truncated, or coded in a way that no decoder
 * here knows.
 */
export function readJpegHeader(bytes: Uint8Array, name: string): JpegHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let size: Omit<JpegHeader, "orientation"> | undefined;
  let orientation: Orientation = 1;
  let at = afterMarker(bytes, 2);
  while (at !== undefined) {
    const marker = bytes[at - 1]!;
    if (marker === EOI) {
      if (size !== undefined) return { ...size, orientation };
      throw new ImageError(name, "the JPEG file has no image in it");
    }
    const end = at + 2 <= bytes.length ? at + view.getUint16(at) : Infinity;
    if (end > bytes.length) break;
    if (isFrame(marker) && end >= at + 8) {
      checkCoding(marker, bytes[at + 2]!, name);
      const height = view.getUint16(at + 3);
      const width = view.getUint16(at + 5);
      size ??= { width, height, channels: bytes[at + 7]! };
    } else if (marker === APP1 && isExif(bytes, at + 2)) {
      orientation = readOrientation(bytes.subarray(at + 8, end));
    }
    at = afterMarker(bytes, end);
  }
  throw new ImageError(
    name,
    `the JPEG file is truncated: it ends after ${bytes.length} bytes, before its end marker`,
    "copy or download it again",
  );
}

/**
 * The position behind the first marker at or after `from`. Entropy-coded data
 * is skipped: there 0xff is followed by 0 or a restart marker.
 */
function afterMarker(bytes: Uint8Array, from: number): number | undefined {
  let at = bytes.indexOf(0xff, from);
  while (at >= 0 && at + 1 < bytes.length) {
    const code = bytes[at + 1]!;
    const standsAlone = code <= 0x01 || code >= 0xd0 && code <= 0xd7;
    if (code !== 0xff && !standsAlone) return at + 2;
    at = bytes.indexOf(0xff, code === 0xff ? at + 1 : at + 2);
  }
}

/** Whether a marker starts a frame; 0xc4, 0xc8 and 0xcc are other things. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(
    marker,
  );
}

function checkCoding(marker: number, precision: number, name: string): void {
  const coding = marker > 0xc8
    ? "arithmetic coding"
    : marker > 0xc2
    ? "lossless or hierarchical coding"
    : precision !== 8
    ? `${precision} bits a channel`
    : undefined;
  if (coding === undefined) return;
  throw new ImageError(
    name,
    `the JPEG file uses ${coding}, expected baseline or progressive with 8 bits a channel`,
    "convert it to PNG",
  );
}

function isExif(bytes: Uint8Array, at: number): boolean {
  return [0x45, 0x78, 0x69, 0x66, 0, 0].every((b, i) => bytes[at + i] === b);
}
