import { inflate } from "./inflate.ts";
import type { TiffCompression } from "./tiff_header.ts";

/**
 * Decompresses a strip or tile.
 *
 * @param size The bytes it holds; no more are made.
 * @returns Its bytes, fewer where it holds less.
 * @throws {Error} If its data is damaged.
 */
type Decompress = (
  bytes: Uint8Array,
  size: number,
) => Uint8Array | Promise<Uint8Array>;

/** How blocks are decompressed. */
export const DECOMPRESS: Readonly<Record<TiffCompression, Decompress>> = {
  none: (bytes, size) => bytes.slice(0, size),
  lzw,
  deflate: (bytes, size) => inflate(bytes, "deflate", size),
  packbits,
};

function packbits(bytes: Uint8Array, size: number): Uint8Array {
  const unpacked = new Uint8Array(size);
  let [from, to] = [0, 0];
  while (from + 1 < bytes.length && to < size) {
    const head = bytes[from++]!;
    if (head === 128) continue;
    if (head > 128) {
      const end = to + 257 - head;
      unpacked.fill(bytes[from++]!, to, end);
      to = end;
    } else {
      const run = bytes.subarray(from, from + head + 1);
      unpacked.set(run.subarray(0, size - to), to);
      from += head + 1;
      to += run.length;
    }
  }
  return unpacked.subarray(0, Math.min(to, size));
}

const CLEAR = 256;
const END = 257;
const MOST_CODES = 4096;

/**
 * LZW as TIFF has it: codes of 9 to 12 bits, high bits first, one bit longer
 * one code before it is needed. Strings are kept as their last byte and the
 * code of what comes before it.
 */
function lzw(bytes: Uint8Array, size: number): Uint8Array {
  const unpacked = new Uint8Array(size);
  const before = new Uint16Array(MOST_CODES);
  const last = Uint8Array.from({ length: MOST_CODES }, (_, code) => code);
  const first = last.slice();
  const length = new Uint16Array(MOST_CODES).fill(1);
  let codes = END + 1;
  let width = 9;
  let previous: number | undefined;
  let [held, heldBits, from, to] = [0, 0, 0, 0];
  while (to < size) {
    while (heldBits < width && from < bytes.length) {
      held = held << 8 | bytes[from++]!;
      heldBits += 8;
    }
    if (heldBits < width) break;
    heldBits -= width;
    const code = held >>> heldBits & (1 << width) - 1;
    if (code === END) break;
    if (code === CLEAR) {
      codes = END + 1;
      width = 9;
      previous = undefined;
      continue;
    }
    if (code > codes || previous === undefined && code > CLEAR) {
      throw new Error(`LZW code ${code} stands for nothing yet`);
    }
    if (previous !== undefined && codes < MOST_CODES) {
      before[codes] = previous;
      first[codes] = first[previous]!;
      last[codes] = first[code === codes ? previous : code]!;
      length[codes] = length[previous]! + 1;
      codes++;
      if (codes === (1 << width) - 1 && width < 12) width++;
    } else if (code === codes) {
      throw new Error(`LZW code ${code} stands for nothing yet`);
    }
    let at = to + length[code]! - 1;
    to = at + 1;
    for (
      let rest = code;
      at >= to - length[code]!;
      rest = before[rest]!, at--
    ) {
      if (at < size) unpacked[at] = last[rest]!;
    }
    previous = code;
  }
  return unpacked.subarray(0, Math.min(to, size));
}
