import { type Pixels, wordsOf } from "./pixels.ts";

/**
 * How an image is stored (TIFF tag 274): 1 upright, 2 mirrored, 3 upside down,
 * 4 flipped, 5 transposed, 6 needs a quarter turn clockwise, 7 transversed,
 * 8 needs a quarter turn counter-clockwise.
 */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const ORIENTATION_TAG = 0x0112;
const SHORT = 3;

/**
 * Reads the orientation out of EXIF data. Whatever is malformed there says
 * nothing, and the image counts as upright.
 *
 * @param exif The TIFF structure, without the `Exif\0\0` before it.
 */
export function readOrientation(exif: Uint8Array): Orientation {
  if (exif.length < 14) return 1;
  const view = new DataView(exif.buffer, exif.byteOffset, exif.length);
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return 1;
  const little = order === 0x4949;
  if (view.getUint16(2, little) !== 42) return 1;
  const directory = view.getUint32(4, little);
  if (directory + 2 > exif.length) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * 12;
    if (entry + 12 > exif.length) return 1;
    if (view.getUint16(entry, little) !== ORIENTATION_TAG) continue;
    const value = view.getUint16(entry + 8, little);
    const valid = view.getUint16(entry + 2, little) === SHORT &&
      value >= 1 && value <= 8;
    return valid ? value as Orientation : 1;
  }
  return 1;
}

/** The image upright; the same object where it is so already. */
export function applyOrientation(
  pixels: Pixels,
  orientation: Orientation,
): Pixels {
  if (orientation === 1) return pixels;
  const { width, height } = pixels;
  const turned = orientation >= 5;
  const [outWidth, outHeight] = turned ? [height, width] : [width, height];
  const source = wordsOf(pixels);
  const target = new Uint32Array(source.length);
  const { start, stepX, stepY } = walk(orientation, width, height);
  let at = 0;
  for (let y = 0; y < outHeight; y++) {
    let from = start + y * stepY;
    for (let x = 0; x < outWidth; x++) {
      target[at++] = source[from]!;
      from += stepX;
    }
  }
  const data = new Uint8Array(target.buffer);
  return { width: outWidth, height: outHeight, data };
}

/** Where the upright image's first pixel is stored, and its neighbours. */
function walk(
  orientation: Orientation,
  width: number,
  height: number,
): { start: number; stepX: number; stepY: number } {
  const right = width - 1;
  const bottom = (height - 1) * width;
  switch (orientation) {
    case 1:
      return { start: 0, stepX: 1, stepY: width };
    case 2:
      return { start: right, stepX: -1, stepY: width };
    case 3:
      return { start: bottom + right, stepX: -1, stepY: -width };
    case 4:
      return { start: bottom, stepX: 1, stepY: -width };
    case 5:
      return { start: 0, stepX: width, stepY: 1 };
    case 6:
      return { start: bottom, stepX: -width, stepY: 1 };
    case 7:
      return { start: bottom + right, stepX: -width, stepY: -1 };
    case 8:
      return { start: right, stepX: width, stepY: -1 };
  }
}
