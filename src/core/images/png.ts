import { crc32 } from "./crc32.ts";
import { paeth } from "./paeth.ts";
import type { Pixels } from "./pixels.ts";

/** A grey image of 8 or 16 bits a pixel. */
export interface GreyImage {
  /** Columns. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** One value a pixel; a `Uint16Array` makes 16 bits. */
  readonly grey: Uint8Array | Uint8ClampedArray | Uint16Array;
}

interface Samples {
  readonly bytes: Uint8Array;
  readonly bitDepth: 8 | 16;
  readonly colorType: 0 | 2 | 6;
  readonly bytesPerPixel: number;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Encodes a PNG: grey of 8 or 16 bits, RGB where every pixel is opaque, else
 * RGBA. The same pixels give the same bytes on the same runtime.
 *
 * @throws {RangeError} If the data is not as long as the size says.
 */
export async function encodePng(
  image: Pixels | GreyImage,
): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height } = image;
  const values = "grey" in image ? image.grey : image.data;
  const expected = width * height * ("grey" in image ? 1 : 4);
  if (values.length !== expected || expected === 0) {
    throw new RangeError(
      `Cannot encode a PNG of ${width} × ${height} pixels: data has ${values.length} values, expected ${
        expected || "at least one pixel"
      }`,
    );
  }
  const samples = "grey" in image ? greySamples(image.grey) : rgbSamples(image);
  const { bytes, bitDepth, colorType, bytesPerPixel } = samples;
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, bitDepth);
  header.setUint8(9, colorType);
  const rows = filterRows(bytes, width * bytesPerPixel, bytesPerPixel);
  const parts = [
    Uint8Array.from(SIGNATURE),
    chunk("IHDR", new Uint8Array(header.buffer)),
    chunk("IDAT", await deflate(rows)),
    chunk("IEND", new Uint8Array()),
  ];
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function greySamples(grey: GreyImage["grey"]): Samples {
  const rest = { colorType: 0 } as const;
  if (!(grey instanceof Uint16Array)) {
    return { ...rest, bytes: bytesOf(grey), bitDepth: 8, bytesPerPixel: 1 };
  }
  const bytes = new Uint8Array(grey.length * 2);
  grey.forEach((value, i) => {
    bytes[i * 2] = value >> 8;
    bytes[i * 2 + 1] = value;
  });
  return { ...rest, bytes, bitDepth: 16, bytesPerPixel: 2 };
}

function rgbSamples({ data }: Pixels): Samples {
  for (let i = 3; i < data.length; i += 4) {
    if (data[i] !== 255) {
      const bytes = bytesOf(data);
      return { bytes, bitDepth: 8, colorType: 6, bytesPerPixel: 4 };
    }
  }
  const bytes = new Uint8Array(data.length / 4 * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    bytes[to] = data[from]!;
    bytes[to + 1] = data[from + 1]!;
    bytes[to + 2] = data[from + 2]!;
  }
  return { bytes, bitDepth: 8, colorType: 2, bytesPerPixel: 3 };
}

function bytesOf(data: Uint8Array | Uint8ClampedArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.length);
}

function chunk(
  type: string,
  data: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

async function deflate(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream();
  const compressed = stream.pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(compressed).arrayBuffer());
}

/** Writes one filtered row; the row above is zeros for the first row. */
type Filter = (
  row: Uint8Array,
  above: Uint8Array,
  step: number,
  out: Uint8Array,
) => void;

const none: Filter = (row, _above, _step, out) => out.set(row);

const sub: Filter = (row, _above, step, out) => {
  for (let i = 0; i < row.length; i++) {
    out[i] = row[i]! - (i < step ? 0 : row[i - step]!);
  }
};

const up: Filter = (row, above, _step, out) => {
  for (let i = 0; i < row.length; i++) out[i] = row[i]! - above[i]!;
};

const average: Filter = (row, above, step, out) => {
  for (let i = 0; i < row.length; i++) {
    const left = i < step ? 0 : row[i - step]!;
    out[i] = row[i]! - ((left + above[i]!) >> 1);
  }
};

const paethFilter: Filter = (row, above, step, out) => {
  for (let i = 0; i < row.length; i++) {
    const left = i < step ? 0 : row[i - step]!;
    const corner = i < step ? 0 : above[i - step]!;
    out[i] = row[i]! - paeth(left, above[i]!, corner);
  }
};

/** In the order of their PNG filter type. */
const FILTERS: readonly Filter[] = [none, sub, up, average, paethFilter];

/**
 * Filters an image for PNG: each row by the filter that leaves the smallest
 * sum of absolute differences, as the PNG specification recommends.
 *
 * @param bytes The rows, without gaps.
 * @param stride Bytes of a row.
 * @param step Bytes of a pixel.
 * @returns The rows, each behind its filter type.
 */
function filterRows(
  bytes: Uint8Array,
  stride: number,
  step: number,
): Uint8Array<ArrayBuffer> {
  const rows = bytes.length / stride;
  const filtered = new Uint8Array(rows * (1 + stride));
  let candidate = new Uint8Array(stride);
  let best = new Uint8Array(stride);
  let above = new Uint8Array(stride);
  for (let y = 0; y < rows; y++) {
    const row = bytes.subarray(y * stride, (y + 1) * stride);
    let type = 0;
    let least = Infinity;
    FILTERS.forEach((filter, i) => {
      filter(row, above, step, candidate);
      const cost = sumOfDifferences(candidate, least);
      if (cost >= least) return;
      least = cost;
      type = i;
      [candidate, best] = [best, candidate];
    });
    filtered[y * (1 + stride)] = type;
    filtered.set(best, y * (1 + stride) + 1);
    above = row as Uint8Array<ArrayBuffer>;
  }
  return filtered;
}

function sumOfDifferences(row: Uint8Array, limit: number): number {
  let sum = 0;
  for (let i = 0; i < row.length && sum < limit; i++) {
    const value = row[i]!;
    sum += value < 128 ? value : 256 - value;
  }
  return sum;
}
