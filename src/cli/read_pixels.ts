import {
  type DecodeOptions,
  decodeStored,
  storedExtent,
  uprightPixels,
} from "../core/images/decode.ts";
import type { Pixels } from "../core/images/pixels.ts";
import type { SampleExtent } from "../core/images/samples.ts";
import { readImage } from "./disk.ts";
import type { Option } from "./options.ts";

/** The largest image that is decoded. */
export const MAX_PIXELS_OPTION = {
  kind: "integer",
  min: 1,
  max: 1e9,
  unit: "pixels",
  default: 100e6,
  help:
    "largest image, width × height; a larger one is refused before it is decoded",
} as const satisfies Option;

/** A decoded image file. */
export interface FilePixels {
  /** The image. */
  readonly pixels: Pixels;
  /** How far its samples reach, where they have more than 8 bits. */
  readonly extent?: SampleExtent;
  /** Images in the file, of which this is the first, where there are several. */
  readonly pages?: number;
}

/** A file, and how it is decoded. */
export interface PixelsTask extends DecodeOptions {
  /** The file. */
  readonly path: string;
}

/**
 * Reads and decodes an image file.
 *
 * @throws {Error} If it cannot be read or decoded.
 */
export async function readPixels(task: PixelsTask): Promise<FilePixels> {
  const { path, range } = task;
  const stored = await decodeStored(await readImage(path), path, task);
  const extent = storedExtent(stored);
  const { pages = 1 } = stored.header;
  return {
    pixels: uprightPixels(stored, range),
    ...(extent && { extent }),
    ...(pages > 1 && { pages }),
  };
}
