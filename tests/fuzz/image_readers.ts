import {
  decodeStored,
  storedExtent,
  uprightPixels,
} from "../../src/core/images/decode.ts";
import { ImageError } from "../../src/core/images/image_error.ts";
import { encodeTiff } from "../../src/core/images/tiff.ts";
import { type Chance, damaged } from "./damage.ts";
import type { Reader } from "./fuzz.ts";
import { goldenFiles } from "./golden_files.ts";

/** More pixels than a golden image has, and few enough to be quick. */
const MAX_PIXELS = 1e6;

/** Readers of images. */
export function imageReaders(): Reader[] {
  const jpegs = goldenFiles("camera", /\.jpg$/);
  const tiff = encodeTiff({ width: 2, height: 2, data: new Float32Array(4) });
  const kinds: Readonly<Record<string, readonly string[]>> = {
    png: ["IHDR", "IDAT", "tRNS", "PLTE", "IEND", "eXIf", "\0\0\0\0"],
    jpg: ["\xff\xd8", "Exif\0\0II*\0", "Exif\0\0MM\0*", "Adobe"],
    bmp: ["BM"],
    gif: ["GIF87a", "GIF89a", "!\xf9\x04", ","],
    webp: ["RIFF", "WEBP", "VP8 ", "VP8L", "VP8X", "ALPH", "EXIF"],
  };
  const readers = Object.entries(kinds).map(([kind, words]): Reader => {
    const files = goldenFiles("images", new RegExp(`\\.${kind}$`));
    return {
      name: kind,
      input: (chance) => damaged(chance.pick(files), chance, words),
      read: readImage,
      errors: [ImageError],
    };
  });
  const tiffs = goldenFiles("camera", /\.tif$/);
  const camera: Reader[] = [{
    name: "tiff",
    input: (chance) =>
      damaged(chance.pick(tiffs), chance, [
        ...[
          "II*\0",
          "MM\0*",
          "II+\0\b\0\0\0",
          "\x00\x01\x04\0",
          "\x01\x01\x03\0",
        ],
        ...[
          "\x03\x01\x03\0",
          "\x11\x01\x04\0",
          "\x42\x01\x04\0",
          "\xff\xff\xff\xff",
        ],
      ]),
    read: readImage,
    errors: [ImageError],
  }, {
    name: "tiff_directory",
    input: (chance) => withOtherEntry(chance.pick(tiffs), chance),
    read: readImage,
    errors: [ImageError],
  }, {
    name: "jpg_camera",
    input: (chance) =>
      damaged(chance.pick(jpegs), chance, ["\xff\xd0", "\xff\xda", "\xff\xc4"]),
    read: readImage,
    errors: [ImageError],
  }];
  const foreign: Reader = {
    name: "foreign",
    input: (chance) =>
      damaged(chance.pick([tiff, new Uint8Array(40)]), chance, [
        ...["%PDF-", "<svg", "<?xml", "<!doctype", "8BPS", "II*\0", "ftypavif"],
        ...["ftypheic", "version https://git-lfs", "\x93NUMPY", "P6\n", "qoif"],
      ]),
    read: readImage,
    errors: [ImageError],
  };
  return [...readers, ...camera, foreign];
}

/** A TIFF with another number in its directory: sizes, counts, positions. */
function withOtherEntry(
  file: Uint8Array,
  chance: Chance,
): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(file);
  const view = new DataView(bytes.buffer);
  const isLittle = bytes[0] === 0x49;
  const directory = view.getUint32(4, isLittle);
  if (view.getUint16(2, isLittle) !== 42) return damaged(file, chance);
  const entries = view.getUint16(directory, isLittle);
  for (let i = chance.below(3); i >= 0; i--) {
    const entry = directory + 2 + 12 * chance.below(entries);
    const at = entry + chance.pick([0, 2, 4, 6, 8, 10]);
    const number = chance.pick([
      ...[0, 1, 2, 3, 4, 5, 7, 8, 12, 16, 32, 64, 255, 256, 257, 258, 259],
      ...[262, 273, 274, 277, 278, 279, 284, 317, 322, 323, 338, 339, 65535],
    ]);
    view.setUint16(at, number, isLittle);
  }
  return bytes;
}

async function readImage(input: unknown): Promise<void> {
  const bytes = input as Uint8Array;
  const stored = await decodeStored(bytes, "a.image", {
    maxPixels: MAX_PIXELS,
  });
  storedExtent(stored);
  const { width, height, data } = uprightPixels(stored, { low: 0, high: 4095 });
  if (data.length !== width * height * 4) throw new Error("wrong length");
}
