import { inflate } from "./inflate.ts";
import { paeth } from "./paeth.ts";
import { readPngHeader } from "./png_header.ts";
import type { Samples } from "./samples.ts";

/** Samples of a pixel by colour type. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 4: 2, 6: 4 };

/** Bytes of a sample. */
const BYTES = 2;

interface Pass {
  readonly left: number;
  readonly top: number;
  readonly stepX: number;
  readonly stepY: number;
}

const WHOLE: readonly Pass[] = [{ left: 0, top: 0, stepX: 1, stepY: 1 }];

/** The passes of an interlaced image (Adam7). */
const ADAM7: readonly Pass[] = [
  { left: 0, top: 0, stepX: 8, stepY: 8 },
  { left: 4, top: 0, stepX: 8, stepY: 8 },
  { left: 0, top: 4, stepX: 4, stepY: 8 },
  { left: 2, top: 0, stepX: 4, stepY: 4 },
  { left: 0, top: 2, stepX: 2, stepY: 4 },
  { left: 1, top: 0, stepX: 2, stepY: 2 },
  { left: 0, top: 1, stepX: 1, stepY: 2 },
];

/**
 * Decodes a PNG of 16 bits a sample without losing any; alpha is dropped.
 *
 * @param bytes A file that {@linkcode readPngHeader} accepts, of 16 bits.
 * @throws {Error} If its data is damaged.
 */
export async function decodePngSamples(
  bytes: Uint8Array,
  name: string,
): Promise<Samples> {
  const { width, height, colorType, isInterlaced, data } = readPngHeader(
    bytes,
    name,
  );
  const stored = CHANNELS[colorType];
  if (stored === undefined) {
    throw new Error(`Colour type ${colorType} has no 16 bits a sample`);
  }
  const passes = (isInterlaced ? ADAM7 : WHOLE)
    .map((pass) => ({ ...pass, ...extentOfPass(pass, width, height) }))
    .filter(({ columns, rows }) => columns > 0 && rows > 0);
  const step = stored * BYTES;
  const size = passes.reduce(
    (sum, { columns, rows }) => sum + rows * (1 + columns * step),
    0,
  );
  const packed = new Uint8Array(await new Blob([...data]).arrayBuffer());
  const lines = await inflate(packed, "deflate", size);
  if (lines.length < size) {
    throw new Error(`It holds ${lines.length} bytes of pixels, not ${size}`);
  }
  const channels = stored < 3 ? 1 : 3;
  const samples = new Uint16Array(width * height * channels);
  let at = 0;
  for (const { left, top, stepX, stepY, columns, rows } of passes) {
    const length = columns * step;
    let above = new Uint8Array(length);
    for (let row = 0; row < rows; row++) {
      const line = lines.subarray(at + 1, at + 1 + length);
      unfilter(lines[at]!, line, above, step);
      const y = top + row * stepY;
      for (let column = 0; column < columns; column++) {
        const from = column * step;
        const to = (y * width + left + column * stepX) * channels;
        for (let c = 0; c < channels; c++) {
          const high = line[from + c * BYTES]!;
          samples[to + c] = high << 8 | line[from + c * BYTES + 1]!;
        }
      }
      above = line;
      at += 1 + length;
    }
  }
  return { width, height, channels, bits: 16, kind: "unsigned", data: samples };
}

function extentOfPass(
  { left, top, stepX, stepY }: Pass,
  width: number,
  height: number,
): { columns: number; rows: number } {
  return {
    columns: Math.ceil((width - left) / stepX),
    rows: Math.ceil((height - top) / stepY),
  };
}

/**
 * Takes a row's filter back, in place.
 *
 * @param above The row above, zeros for the first.
 * @param step Bytes of a pixel.
 */
function unfilter(
  filter: number,
  row: Uint8Array,
  above: Uint8Array,
  step: number,
): void {
  switch (filter) {
    case 0:
      return;
    case 1:
      for (let i = step; i < row.length; i++) row[i]! += row[i - step]!;
      return;
    case 2:
      for (let i = 0; i < row.length; i++) row[i]! += above[i]!;
      return;
    case 3:
      for (let i = 0; i < row.length; i++) {
        const left = i < step ? 0 : row[i - step]!;
        row[i]! += (left + above[i]!) >> 1;
      }
      return;
    case 4:
      for (let i = 0; i < row.length; i++) {
        const left = i < step ? 0 : row[i - step]!;
        const corner = i < step ? 0 : above[i - step]!;
        row[i]! += paeth(left, above[i]!, corner);
      }
      return;
    default:
      throw new Error(`Filter ${filter} of a row is unknown`);
  }
}
