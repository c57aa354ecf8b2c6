import { malformed } from "./checkpoint_error.ts";

/** Reads little-endian values one after the other. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Index of the next byte. */
  offset = 0;

  /** Starts at the first of `bytes`. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /**
   * Returns the next `length` bytes as a view.
   *
   * @throws {CheckpointError} When fewer are left.
   */
  take(length: number): Uint8Array {
    return this.#bytes.subarray(this.#advance(length), this.offset);
  }

  /** Returns the next byte. */
  u8(): number {
    return this.#bytes[this.#advance(1)];
  }

  /** Returns the next two bytes as an unsigned number. */
  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  /** Returns the next four bytes as an unsigned number. */
  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** Returns the next four bytes as a signed number. */
  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  /** Returns the next eight bytes as an unsigned number; inexact past 2^53. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  /** Returns the next eight bytes as a big-endian float64. */
  f64BigEndian(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** Returns the text up to the next line feed, which is passed over. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.offset);
    if (end < 0) throw malformed("the pickle ends within a line");
    const bytes = this.take(end - this.offset);
    this.offset++;
    return decodeUtf8(bytes);
  }

  /** Returns the next `length` bytes as UTF-8 text. */
  text(length: number): string {
    return decodeUtf8(this.take(length));
  }

  #advance(length: number): number {
    const start = this.offset;
    const left = this.#bytes.length - start;
    if (length > left) {
      throw malformed(
        `it is truncated: ${length} bytes expected at byte ${start}, ${left} left`,
      );
    }
    this.offset += length;
    return start;
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    // A string may hold lone surrogates in Python; those are no names.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw malformed("a string is not UTF-8");
  }
}
