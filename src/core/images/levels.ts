import type { SampleRange } from "../settings/settings.ts";
import type { Pixels } from "./pixels.ts";
import {
  bitsOf,
  notANumber,
  type SampleExtent,
  type SampleKind,
  type Samples,
} from "./samples.ts";

/** Bits up to which every sample's level is looked up. */
const TABLE_BITS = 16;

/**
 * Makes levels of samples, 8 bits each, opaque. Samples of up to 8 bits are
 * stretched to 0 to 255, as Pillow does; those of 9 to 16 bits give their 8
 * highest, or follow the range.
 *
 * @param range What becomes black and white; for samples of up to 8 bits it
 * counts for nothing.
 * @throws {RangeError} If the samples take a range and there is none, or one of
 * them is NaN.
 */
export function levelsOf(samples: Samples, range?: SampleRange): Pixels {
  const { width, height, channels, data } = samples;
  const level = levelFunction(samples, range);
  const pixels = new Uint8Array(width * height * 4);
  if (channels === 1) {
    const words = new Uint32Array(pixels.buffer);
    const grey = greyWords();
    for (let i = 0; i < words.length; i++) words[i] = grey[level(data[i]!)]!;
  } else {
    for (let from = 0, to = 0; to < pixels.length; from += 3, to += 4) {
      pixels[to] = level(data[from]!);
      pixels[to + 1] = level(data[from + 1]!);
      pixels[to + 2] = level(data[from + 2]!);
      pixels[to + 3] = 255;
    }
  }
  return { width, height, data: pixels };
}

/**
 * The range that holds the samples of all images: whole numbers from 0 up to
 * what the bits in use allow, such as 0 to 4095; of other numbers, from the
 * smallest to the largest.
 *
 * @returns Nothing where no image takes a range.
 */
export function rangeOfAll(
  extents: readonly SampleExtent[],
): SampleRange | undefined {
  if (extents.length === 0) return undefined;
  const low = Math.min(...extents.map(({ least }) => least));
  const high = Math.max(...extents.map(({ most }) => most));
  const isCount = low >= 0 && extents.every(({ kind }) => kind !== "float");
  if (isCount) return { low: 0, high: 2 ** Math.max(8, bitsOf(high)) - 1 };
  return { low, high: high > low ? high : low + 1 };
}

/** RGBA words by level of grey. */
function greyWords(): Uint32Array {
  const bytes = new Uint8Array(256 * 4);
  for (let level = 0; level < 256; level++) {
    bytes.set([level, level, level, 255], level * 4);
  }
  return new Uint32Array(bytes.buffer);
}

function levelFunction(
  { bits, kind }: Samples,
  range: SampleRange | undefined,
): (sample: number) => number {
  if (kind !== "unsigned" || bits > TABLE_BITS) {
    if (range !== undefined) return scale(range, kind);
    throw new RangeError(
      `its samples are ${
        kind === "float" ? "floats" : "integers"
      } of ${bits} bits, which say nothing of their range`,
    );
  }
  const most = 2 ** bits - 1;
  const one = bits <= 8
    ? (sample: number): number => Math.round(sample * 255 / most)
    : scale(range ?? { low: 0, high: most }, kind);
  const levels = Uint8Array.from({ length: most + 1 }, (_, i) => one(i));
  return (sample) => levels[sample]!;
}

/** 256 equal steps from low to high; of floats, the level that is nearest. */
function scale(
  { low, high }: SampleRange,
  kind: SampleKind,
): (sample: number) => number {
  if (kind === "float") {
    return (sample) => {
      if (sample !== sample) throw notANumber();
      const level = Math.round((sample - low) / (high - low) * 255);
      return level < 0 ? 0 : level > 255 ? 255 : level;
    };
  }
  return (sample) => {
    const level = Math.floor((sample - low) * 256 / (high - low + 1));
    return level < 0 ? 0 : level > 255 ? 255 : level;
  };
}
