const DIGITS = [
  { shift: 0, mask: 0x7ff },
  { shift: 11, mask: 0x7ff },
  { shift: 22, mask: 0x3ff },
] as const;

const BITS = new Uint32Array(1);
const FLOAT = new Float32Array(BITS.buffer);

/**
 * The order-preserving 32-bit key of a float32: keys compare as unsigned
 * integers exactly as the floats compare as numbers; −0 equals 0.
 *
 * @param bits The float's IEEE 754 bits, not NaN.
 * @returns The key, an unsigned 32-bit integer.
 */
export function floatKey(bits: number): number {
  if (bits >>> 31 === 0) return (bits | 0x80000000) >>> 0;
  return bits >>> 0 === 0x80000000 ? 0x80000000 : ~bits >>> 0;
}

/** The float32 that a key stands for. */
export function keyFloat(key: number): number {
  BITS[0] = key >>> 31 === 1 ? key & 0x7fffffff : ~key;
  return FLOAT[0]!;
}

/**
 * Sorts 32-bit keys, each with a 32-bit tag that moves along, by radix:
 * stable, linear, exact. One sorter reuses its working memory between calls.
 */
export class RadixSorter {
  #keys = new Uint32Array(0);
  #tags = new Uint32Array(0);

  /**
   * Sorts in place, ascending by key.
   *
   * @param tags One tag a key, or nothing to sort bare keys.
   */
  sort(keys: Uint32Array, tags?: Uint32Array): void {
    const count = keys.length;
    if (this.#keys.length < count) this.#keys = new Uint32Array(count);
    if (tags && this.#tags.length < count) this.#tags = new Uint32Array(count);
    let from = keys, fromTags = tags;
    let to: Uint32Array = this.#keys.subarray(0, count);
    let toTags: Uint32Array | undefined = tags && this.#tags.subarray(0, count);
    for (const { shift, mask } of DIGITS) {
      const starts = digitStarts(from, shift, mask);
      if (starts === undefined) continue;
      if (fromTags && toTags) {
        scatterPairs(from, fromTags, to, toTags, starts, shift, mask);
      } else scatter(from, to, starts, shift, mask);
      [from, to] = [to, from];
      [fromTags, toTags] = [toTags, fromTags];
    }
    if (from !== keys) keys.set(from);
    if (tags && fromTags && fromTags !== tags) tags.set(fromTags);
  }
}

/** Where each digit's keys start, or nothing when all keys share the digit. */
function digitStarts(
  keys: Uint32Array,
  shift: number,
  mask: number,
): Uint32Array | undefined {
  const starts = new Uint32Array(mask + 1);
  for (let i = 0; i < keys.length; i++) starts[(keys[i]! >>> shift) & mask]!++;
  let sum = 0;
  for (let digit = 0; digit <= mask; digit++) {
    const count = starts[digit]!;
    if (count === keys.length) return undefined;
    starts[digit] = sum;
    sum += count;
  }
  return starts;
}

function scatter(
  from: Uint32Array,
  to: Uint32Array,
  starts: Uint32Array,
  shift: number,
  mask: number,
): void {
  for (let i = 0; i < from.length; i++) {
    const key = from[i]!;
    to[starts[(key >>> shift) & mask]!++] = key;
  }
}

function scatterPairs(
  from: Uint32Array,
  fromTags: Uint32Array,
  to: Uint32Array,
  toTags: Uint32Array,
  starts: Uint32Array,
  shift: number,
  mask: number,
): void {
  for (let i = 0; i < from.length; i++) {
    const key = from[i]!;
    const place = starts[(key >>> shift) & mask]!++;
    to[place] = key;
    toTags[place] = fromTags[i]!;
  }
}
