import { decodeImage } from "../core/images/decode.ts";
import type { Pixels } from "../core/images/pixels.ts";
import { unusedBits } from "../core/images/unused_bits.ts";
import { readImage } from "./disk.ts";

/** A decoded image file. */
export interface FilePixels {
  /** The image. */
  readonly pixels: Pixels;
  /** Highest bits of 16 that no sample of the file uses. */
  readonly unused: number;
}

/**
 * Reads and decodes an image file.
 *
 * @throws {Error} If it cannot be read or decoded.
 */
export async function readPixels(path: string): Promise<FilePixels> {
  const bytes = await readImage(path);
  const pixels = await decodeImage(bytes, path);
  return { pixels, unused: unusedBits(bytes, pixels) };
}
