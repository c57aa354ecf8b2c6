import { ImageError } from "./image_error.ts";

/** The first directory of a TIFF file: numbers by tag. */
export interface TiffDirectory {
  /** Whether numbers are stored with their low byte first. */
  readonly isLittle: boolean;
  /** How many images the file holds. */
  readonly pages: number;
  /**
   * The first numbers of a tag; nothing where the directory lacks it.
   *
   * @param most How many at most, 64 by default.
   */
  numbers(tag: number, most?: number): readonly number[] | undefined;
}

/** Bytes of a number by its type. */
const SIZES: Readonly<Record<number, number>> = {
  1: 1, // byte
  3: 2, // short
  4: 4, // long
  13: 4, // directory
  16: 8, // long of 64 bits
  18: 8, // directory of 64 bits
};

/** Numbers of a tag that are read unless more are asked for. */
const MOST_NUMBERS = 64;

/** Directories that are counted at most: a chain may lead in a circle. */
const MOST_PAGES = 100_000;

/** Where numbers of a file are, and how large positions and counts are. */
interface Layout {
  readonly view: DataView;
  readonly isLittle: boolean;
  /** Bytes of a position: 4, or 8 in a BigTIFF. */
  readonly word: 4 | 8;
}

interface Entry {
  readonly type: number;
  readonly count: number;
  /** Where its numbers are. */
  readonly at: number;
}

/** Whether a file begins as TIFF and BigTIFF do. */
export function isTiff(bytes: Uint8Array): boolean {
  const [a, b, c, d] = bytes;
  return a === 0x49 && b === 0x49 && (c === 42 || c === 43) && d === 0 ||
    a === 0x4d && b === 0x4d && c === 0 && (d === 42 || d === 43);
}

/**
 * Reads the first directory of a TIFF or BigTIFF and counts the others. Every
 * count is checked against the file, so that none asks for more memory than the
 * file has.
 *
 * @param bytes A file that {@linkcode isTiff} knows.
 * @throws {ImageError} If the directory is not in the file.
 */
export function readTiffDirectory(
  bytes: Uint8Array,
  name: string,
): TiffDirectory {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isLittle = bytes[0] === 0x49;
  const isBig = bytes.length >= 4 && view.getUint16(2, isLittle) === 43;
  const layout: Layout = { view, isLittle, word: isBig ? 8 : 4 };
  const first = bytes.length >= 16 || !isBig && bytes.length >= 8
    ? position(layout, layout.word)
    : Infinity;
  const directory = entriesAt(layout, first);
  if (directory === undefined) {
    throw new ImageError(
      name,
      `the TIFF file is truncated: it ends after ${bytes.length} bytes, before its directory does`,
      "copy or download it again",
    );
  }
  const { entries } = directory;
  return {
    isLittle,
    pages: countPages(layout, first),
    numbers: (tag, most = MOST_NUMBERS) => {
      const entry = entries.get(tag);
      return entry && numbersOf(layout, entry, most);
    },
  };
}

/** A position or count; beyond what a file can have it is as good as infinite. */
function position({ view, isLittle, word }: Layout, at: number): number {
  if (word === 4) return view.getUint32(at, isLittle);
  return Number(view.getBigUint64(at, isLittle));
}

/** The entries of a directory, and where the next one is. */
function entriesAt(
  layout: Layout,
  start: number,
): { entries: Map<number, Entry>; next: number } | undefined {
  const { view, isLittle, word } = layout;
  const head = word === 4 ? 2 : 8;
  if (start < 8 || start + head > view.byteLength) return undefined;
  const count = word === 4
    ? view.getUint16(start, isLittle)
    : position(layout, start);
  const length = 4 + 2 * word;
  const end = start + head + count * length;
  if (end + word > view.byteLength) return undefined;
  const entries = new Map<number, Entry>();
  for (let at = start + head; at < end; at += length) {
    const type = view.getUint16(at + 2, isLittle);
    const size = SIZES[type];
    if (size === undefined) continue;
    const numbers = position(layout, at + 4);
    const place = at + 4 + word;
    const values = numbers * size <= word ? place : position(layout, place);
    entries.set(view.getUint16(at, isLittle), {
      type,
      count: numbers,
      at: values,
    });
  }
  return { entries, next: position(layout, end) };
}

function countPages(layout: Layout, first: number): number {
  const seen = new Set<number>();
  let next = first;
  while (next !== 0 && !seen.has(next) && seen.size < MOST_PAGES) {
    const directory = entriesAt(layout, next);
    if (directory === undefined) break;
    seen.add(next);
    next = directory.next;
  }
  return seen.size;
}

/** An entry's first numbers; nothing where they are not in the file. */
function numbersOf(
  { view, isLittle }: Layout,
  { type, count, at }: Entry,
  most: number,
): readonly number[] | undefined {
  const size = SIZES[type]!;
  if (at + count * size > view.byteLength) return undefined;
  return Array.from({ length: Math.min(count, most) }, (_, i) => {
    const from = at + i * size;
    if (size === 1) return view.getUint8(from);
    if (size === 2) return view.getUint16(from, isLittle);
    if (size === 4) return view.getUint32(from, isLittle);
    return Number(view.getBigUint64(from, isLittle));
  });
}
