/**
 * Damages files and values, reproducibly.
 *
 * @module
 */

/** A stream of choices that a seed decides. */
export class Chance {
  #state: number;

  /** @param seed Any whole number. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number of 32 bits. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  }

  /** A whole number from 0 to `n` − 1. */
  below(n: number): number {
    return Math.floor(this.next() / 2 ** 32 * n);
  }

  /** Whether something happens that happens once in `n` times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  /** One of a list. */
  pick<T>(list: ArrayLike<T>): T {
    return list[this.below(list.length)]!;
  }
}

/** Bytes that parsers trip over. */
const BYTES = [0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x22, 0x2c, 0x3d, 0x7b];
/** 32-bit words that parsers trip over. */
const WORDS = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x10000, 0xfffffff8];

/**
 * A file with some damage: bits turned over, bytes and words replaced, parts
 * cut out, doubled, moved or cut off, words of its own put in.
 *
 * @param words What may be put in; a part of the file itself otherwise.
 */
export function damaged(
  file: Uint8Array,
  chance: Chance,
  words: readonly string[] = [],
): Uint8Array<ArrayBuffer> {
  let bytes = new Uint8Array(file);
  for (let n = 1 + chance.below(chance.oneIn(4) ? 16 : 3); n > 0; n--) {
    bytes = damagedOnce(bytes, chance, words);
  }
  return bytes;
}

function damagedOnce(
  bytes: Uint8Array<ArrayBuffer>,
  chance: Chance,
  words: readonly string[],
): Uint8Array<ArrayBuffer> {
  // Half of the damage is done where headers are.
  const reach = chance.oneIn(2) ? Math.min(bytes.length, 256) : bytes.length;
  const at = chance.below(reach + 1);
  const some = chance.below(chance.oneIn(2) ? 9 : 1 + (bytes.length >> 1));
  const inside = at < bytes.length;
  switch (chance.below(9)) {
    case 0:
      if (inside) bytes[at]! ^= 1 << chance.below(8);
      return bytes;
    case 1:
      if (inside) bytes[at] = chance.pick(BYTES);
      return bytes;
    case 2:
      if (inside) bytes[at] = chance.below(256);
      return bytes;
    case 3: {
      if (at + 4 > bytes.length) return bytes;
      const view = new DataView(bytes.buffer);
      view.setUint32(at, chance.pick(WORDS), chance.oneIn(2));
      return bytes;
    }
    case 4:
      return joined(bytes.subarray(0, at));
    case 5:
      return joined(bytes.subarray(0, at), bytes.subarray(at + some));
    case 6: {
      const part = bytes.subarray(at, at + Math.min(some, 2 ** 14));
      const copies = Array.from({ length: 1 + chance.below(3) }, () => part);
      return joined(bytes.subarray(0, at), ...copies, bytes.subarray(at));
    }
    case 7: {
      const from = chance.below(bytes.length + 1);
      bytes.copyWithin(at, from, from + some);
      return bytes;
    }
    default: {
      if (words.length === 0) return bytes;
      const word = new TextEncoder().encode(chance.pick(words));
      const rest = chance.oneIn(2) ? at : at + word.length;
      return joined(bytes.subarray(0, at), word, bytes.subarray(rest));
    }
  }
}

/** Bytes one after the other. */
export function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((total, part) => total + part.length, 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const NUMBERS = [
  ...[0, -1, 1, 2, 3, 7, 0.5, -0.5, 255, 256, 65536, 1e6],
  ...[2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53, 1e308, -1e308, 5e-324],
];
const TEXTS = [
  ...["", " ", "x", "..", "../x", "/", "\\", "\0", "é", "\ud800", "__proto__"],
  ...[
    "constructor",
    "toString",
    "null",
    "NaN",
    "1e999",
    "-0",
    "x".repeat(3000),
  ],
];

/** A copy of plain data (JSON, protobuf messages) with one or two changes. */
export function changed(value: unknown, chance: Chance): unknown {
  const copy = structuredClone(value);
  let result = copy;
  for (let n = chance.oneIn(3) ? 2 : 1; n > 0; n--) {
    result = changeOnce(result, chance);
  }
  return result;
}

function changeOnce(root: unknown, chance: Chance): unknown {
  let at = root;
  while (true) {
    const keys = keysOf(at);
    if (keys.length === 0) return root;
    const holder = at as Record<string, unknown>;
    const key = chance.pick(keys);
    const child = holder[key];
    const goesOn = keysOf(child).length > 0 && !chance.oneIn(8);
    if (!goesOn) {
      change(holder, key, chance);
      return root;
    }
    at = child;
  }
}

function keysOf(value: unknown): string[] {
  return typeof value === "object" && value !== null &&
      !ArrayBuffer.isView(value)
    ? Object.keys(value)
    : [];
}

function change(
  holder: Record<string, unknown>,
  key: string,
  chance: Chance,
): void {
  const value = holder[key];
  if (Array.isArray(holder) && chance.oneIn(3)) {
    if (chance.oneIn(2)) holder.splice(Number(key), 1);
    else holder.splice(chance.below(holder.length + 1), 0, value);
    return;
  }
  const what = chance.below(6);
  if (what === 0) delete holder[key];
  else if (what === 1) {
    const other = chance.pick(Object.keys(holder));
    holder[key] = structuredClone(holder[other]);
  } else if (typeof value === "number") {
    holder[key] = otherNumber(value, chance);
  } else if (typeof value === "string") holder[key] = otherText(value, chance);
  else if (typeof value === "boolean") holder[key] = !value;
  else if (value instanceof Uint8Array) {
    holder[key] = damaged(value, chance);
  } else holder[key] = chance.pick([{}, [], null, 0, "", [[]]]);
}

function otherNumber(value: number, chance: Chance): number {
  return chance.oneIn(3)
    ? value + chance.pick([1, -1, 0.5])
    : chance.pick(NUMBERS);
}

function otherText(value: string, chance: Chance): string {
  if (chance.oneIn(2)) return chance.pick(TEXTS);
  const at = chance.below(value.length + 1);
  return `${value.slice(0, at)}${chance.pick(TEXTS)}${value.slice(at + 1)}`;
}
