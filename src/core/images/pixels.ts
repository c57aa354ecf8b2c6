/**
 * A decoded image. A browser's `ImageData` is one; so is what
 * {@linkcode decodeImage} returns, where every alpha is 255.
 */
export interface Pixels {
  /** Columns. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** RGBA, 8 bits a channel, row by row: `width · height · 4` bytes. */
  readonly data: Uint8Array | Uint8ClampedArray;
}

/**
 * Checks that an image is one: sizes are positive integers and the data is as
 * long as they say.
 *
 * @throws {RangeError} If it is not.
 */
export function checkPixels({ width, height, data }: Pixels): void {
  const sizes = [width, height];
  if (!sizes.every((size) => Number.isInteger(size) && size > 0)) {
    throw new RangeError(
      `Cannot use an image of ${width} × ${height} pixels: expected positive integers`,
    );
  }
  const expected = width * height * 4;
  if (data.length !== expected) {
    throw new RangeError(
      `Cannot use an image of ${width} × ${height} pixels: data has ${data.length} bytes, RGBA needs ${expected}`,
    );
  }
}

/** The pixels as 32-bit words; a copy where the bytes are not aligned. */
export function wordsOf(
  { data }: Pick<Pixels, "data">,
): Uint32Array<ArrayBuffer> {
  const aligned = data.byteOffset % 4 === 0 &&
    data.buffer instanceof ArrayBuffer;
  const { buffer, byteOffset, length } = aligned ? data : Uint8Array.from(data);
  return new Uint32Array(buffer as ArrayBuffer, byteOffset, length / 4);
}

/** One float a pixel: an anomaly map. NaN where nothing is known. */
export interface FloatImage {
  /** Columns. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** `[H, W]`. */
  readonly data: Float32Array;
}
