import type { Orientation } from "./exif.ts";
import { checkExtent, ImageError } from "./image_error.ts";
import type { SampleKind } from "./samples.ts";
import { readTiffDirectory, type TiffDirectory } from "./tiff_directory.ts";

/** How a block of a TIFF is compressed. */
export type TiffCompression = "none" | "lzw" | "deflate" | "packbits";

/** What samples mean. */
export type TiffColor =
  | "white is zero"
  | "black is zero"
  | "rgb"
  | "palette"
  | "cmyk";

/** What a TIFF says of its first image, all that is needed to decode it. */
export interface TiffHeader {
  /** Columns as stored. */
  readonly width: number;
  /** Rows as stored. */
  readonly height: number;
  /** How it is stored. */
  readonly orientation: Orientation;
  /** Images in the file. */
  readonly pages: number;
  /** Whether numbers have their low byte first. */
  readonly isLittle: boolean;
  /** Bits of a sample. */
  readonly bits: number;
  /** What samples are. */
  readonly kind: SampleKind;
  /** What they mean. */
  readonly color: TiffColor;
  /** Samples of a pixel. */
  readonly samples: number;
  /** Whether colours were multiplied with the alpha that follows them. */
  readonly isPremultiplied: boolean;
  /** Whether each channel has blocks of its own. */
  readonly isPlanar: boolean;
  /** How blocks are compressed. */
  readonly compression: TiffCompression;
  /** 1: samples as they are, 2: differences in a row, 3: those of floats. */
  readonly predictor: 1 | 2 | 3;
  /** Whether the first pixel of a byte is in its lowest bits. */
  readonly isReversed: boolean;
  /** Red, green and blue of each index, 16 bits each, channel after channel. */
  readonly palette: readonly number[];
  /** The strips or tiles. */
  readonly blocks: TiffBlocks;
}

/** Strips or tiles: how large they are and where. */
interface TiffBlocks {
  /** Columns of each. */
  readonly width: number;
  /** Rows of each; of strips the last one may have fewer. */
  readonly height: number;
  /** Whether all have all their rows: tiles do. */
  readonly areWhole: boolean;
  /** First bytes. */
  readonly offsets: readonly number[];
  /** Compressed bytes. */
  readonly lengths: readonly number[];
}

const COMPRESSIONS: Readonly<Record<number, TiffCompression>> = {
  1: "none",
  5: "lzw",
  8: "deflate",
  32946: "deflate",
  32773: "packbits",
};

const FOREIGN_COMPRESSIONS: Readonly<Record<number, string>> = {
  2: "a fax code",
  3: "a fax code",
  4: "a fax code",
  6: "JPEG",
  7: "JPEG",
  33003: "JPEG 2000",
  33005: "JPEG 2000",
  34712: "JPEG 2000",
  34887: "LERC",
  34925: "LZMA",
  50000: "Zstandard",
  50001: "WebP",
  50002: "JPEG XL",
};

const COLORS: Readonly<Record<number, TiffColor>> = {
  0: "white is zero",
  1: "black is zero",
  2: "rgb",
  3: "palette",
  5: "cmyk",
};

const CHANNELS: Readonly<Record<TiffColor, number>> = {
  "white is zero": 1,
  "black is zero": 1,
  rgb: 3,
  palette: 1,
  cmyk: 4,
};

const KINDS: Readonly<Record<number, SampleKind>> = {
  1: "unsigned",
  2: "signed",
  3: "float",
  4: "unsigned",
};

/** Samples of a pixel beside its colours, alpha among them. */
const MOST_EXTRA = 2;

/** Pixels that a block may have beside an image that is smaller. */
const BLOCK_PIXELS = 2 ** 22;

const CONVERT =
  "write it with LZW, Deflate, PackBits or no compression, or convert it to PNG";

/**
 * Reads what a TIFF says of its first image and checks that all of it is there.
 *
 * @param bytes A file that begins as TIFF does.
 * @throws {ImageError} If it is truncated, or of a kind that is not decoded.
 */
export function readTiffHeader(bytes: Uint8Array, name: string): TiffHeader {
  const directory = readTiffDirectory(bytes, name);
  const [width = 0] = directory.numbers(256) ?? [];
  const [height = 0] = directory.numbers(257) ?? [];
  const [orientation = 1] = directory.numbers(274) ?? [];
  checkExtent({ width, height }, name);
  const storage = storageOf(directory, name);
  const pixels = pixelsOf(directory, name);
  checkPredictor(storage.predictor, pixels, name);
  return {
    width,
    height,
    orientation: orientation >= 1 && orientation <= 8
      ? orientation as Orientation
      : 1,
    pages: directory.pages,
    isLittle: directory.isLittle,
    ...storage,
    ...pixels,
    blocks: blocksOf(
      directory,
      { width, height, ...storage, ...pixels },
      bytes,
      name,
    ),
  };
}

function storageOf(
  directory: TiffDirectory,
  name: string,
): Pick<
  TiffHeader,
  "compression" | "predictor" | "isReversed" | "isPlanar"
> {
  const [code = 1] = directory.numbers(259) ?? [];
  const compression = COMPRESSIONS[code];
  if (compression === undefined) {
    const foreign = FOREIGN_COMPRESSIONS[code] ?? `compression ${code}`;
    throw new ImageError(
      name,
      `the TIFF file is compressed with ${foreign}, which is not read`,
      CONVERT,
    );
  }
  const [predictor = 1] = directory.numbers(317) ?? [];
  if (predictor !== 1 && predictor !== 2 && predictor !== 3) {
    throw unread(name, `predictor ${predictor}`);
  }
  const [fillOrder] = directory.numbers(266) ?? [];
  const [planar] = directory.numbers(284) ?? [];
  return {
    compression,
    // Uncompressed samples are stored as they are, whatever the tag says.
    predictor: compression === "lzw" || compression === "deflate"
      ? predictor
      : 1,
    isReversed: fillOrder === 2,
    isPlanar: planar === 2,
  };
}

/** Differences are those of whole samples, or of floats byte by byte. */
function checkPredictor(
  predictor: TiffHeader["predictor"],
  { bits, kind }: Pick<TiffHeader, "bits" | "kind">,
  name: string,
): void {
  const isSound = predictor === 1 ||
    (predictor === 3) === (kind === "float") && bits % 8 === 0;
  if (isSound) return;
  throw unread(
    name,
    `predictor ${predictor} for ${kind} samples of ${bits} bits`,
  );
}

function pixelsOf(
  directory: TiffDirectory,
  name: string,
): Pick<
  TiffHeader,
  "bits" | "kind" | "color" | "samples" | "isPremultiplied" | "palette"
> {
  const [samples = 1] = directory.numbers(277) ?? [];
  const depths = directory.numbers(258) ?? [1];
  const [bits = 1] = depths;
  if (depths.some((depth) => depth !== bits)) {
    throw unread(name, `channels of ${depths.join(", ")} bits`);
  }
  const [format = 1] = directory.numbers(339) ?? [];
  const kind = KINDS[format];
  const isKnown = kind === "float"
    ? bits === 32 || bits === 64
    : bits >= 1 && bits <= 16 || bits === 32;
  if (kind === undefined || !isKnown || kind === "signed" && bits % 8 !== 0) {
    throw unread(name, `samples of ${bits} bits in format ${format}`);
  }
  const [code = 1] = directory.numbers(262) ?? [];
  const color = COLORS[code];
  if (color === undefined) throw unread(name, `colours of kind ${code}`);
  const isCount = kind === "unsigned" && bits <= 8;
  if (color === "palette" && !isCount || color === "cmyk" && bits !== 8) {
    throw unread(name, `${color} samples of ${bits} bits`);
  }
  const most = CHANNELS[color] + MOST_EXTRA;
  if (samples < CHANNELS[color] || samples > most) {
    throw unread(name, `${samples} samples a pixel for ${color}`);
  }
  const palette = color === "palette"
    ? directory.numbers(320, 3 * 256) ?? []
    : [];
  if (color === "palette" && palette.length < 3 * 2 ** bits) {
    throw unread(name, "a palette that is not there");
  }
  const [extra] = directory.numbers(338) ?? [];
  return {
    bits,
    kind,
    color,
    samples,
    isPremultiplied: extra === 1 && samples > CHANNELS[color],
    palette,
  };
}

function blocksOf(
  directory: TiffDirectory,
  { width, height, samples, isPlanar }: Pick<
    TiffHeader,
    "width" | "height" | "samples" | "isPlanar"
  >,
  bytes: Uint8Array,
  name: string,
): TiffBlocks {
  const [tileWidth] = directory.numbers(322) ?? [];
  const [tileHeight] = directory.numbers(323) ?? [];
  const areWhole = tileWidth !== undefined && tileHeight !== undefined;
  const [rows = height] = directory.numbers(278) ?? [];
  const size = areWhole
    ? { width: tileWidth, height: tileHeight }
    : { width, height: Math.min(rows, height) };
  const pixels = size.width * size.height;
  if (pixels < 1 || pixels > Math.max(BLOCK_PIXELS, 4 * width * height)) {
    throw unread(name, `blocks of ${size.width} × ${size.height} pixels`);
  }
  const count = Math.ceil(width / size.width) *
    Math.ceil(height / size.height) * (isPlanar ? samples : 1);
  const offsets = directory.numbers(areWhole ? 324 : 273, count) ?? [];
  const lengths = directory.numbers(areWhole ? 325 : 279, count) ??
    offsets.slice(0, 1).map((offset) => bytes.length - offset);
  const isWhole = offsets.length === count && lengths.length === count &&
    offsets.every((offset, i) => offset + lengths[i]! <= bytes.length);
  if (isWhole) return { ...size, areWhole, offsets, lengths };
  throw new ImageError(
    name,
    `the TIFF file is truncated: it ends after ${bytes.length} bytes, before its pixels do`,
    "copy or download it again",
  );
}

function unread(name: string, what: string): ImageError {
  return new ImageError(
    name,
    `the TIFF file has ${what}, which is not read`,
    "convert it to PNG",
  );
}
