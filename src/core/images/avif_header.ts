/** A box of a file in ISO's base media format. */
interface Box {
  readonly type: string;
  /** Where its content begins. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
}

/** Boxes that are looked at, at most. */
const MOST_BOXES = 10_000;

/** Whether a file begins as AVIF images do. */
export function isAvif(bytes: Uint8Array): boolean {
  if (bytes.length < 12 || ascii(bytes, 4) !== "ftyp") return false;
  const view = viewOf(bytes);
  const end = Math.min(view.getUint32(0), bytes.length, 256);
  for (let at = 8; at + 4 <= end; at += at === 8 ? 8 : 4) {
    if (/^avi[fs]$/.test(ascii(bytes, at))) return true;
  }
  return false;
}

/**
 * The size of an AVIF image: the largest of those that the file has extents of,
 * which are the whole image, its alpha and a thumbnail.
 *
 * @returns Nothing where the file tells none.
 */
export function avifSize(
  bytes: Uint8Array,
): { width: number; height: number } | undefined {
  const view = viewOf(bytes);
  let open: Box[] = [{ type: "", start: 0, end: bytes.length }];
  for (const wanted of ["meta", "iprp", "ipco", "ispe"]) {
    // Boxes of version and flags have four bytes before what is in them.
    open = open.flatMap(({ type, start, end }) =>
      boxesIn(bytes, start + (type === "meta" ? 4 : 0), end)
    ).filter(({ type }) => type === wanted);
  }
  const sizes = open.filter(({ start, end }) => end - start >= 12)
    .map(({ start }) => ({
      width: view.getUint32(start + 4),
      height: view.getUint32(start + 8),
    }));
  return sizes.sort((a, b) => b.width * b.height - a.width * a.height)[0];
}

function boxesIn(bytes: Uint8Array, start: number, end: number): Box[] {
  const view = viewOf(bytes);
  const boxes: Box[] = [];
  for (let at = start; at + 8 <= end && boxes.length < MOST_BOXES;) {
    const length = view.getUint32(at) || end - at;
    if (length < 8) break;
    boxes.push({
      type: ascii(bytes, at + 4),
      start: at + 8,
      end: Math.min(at + length, end),
    });
    at += length;
  }
  return boxes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function ascii(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}
