/** Numbers of an image, `[H, W, C]`, in the type that its file stores. */
export type SampleData =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** What samples are: whole numbers from 0 up, any whole numbers, or floats. */
export type SampleKind = "unsigned" | "signed" | "float";

/** An image as its file stores it, before its samples become levels. */
export interface Samples {
  /** Columns. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** 1: grey, 0 is black; 3: red, green and blue. */
  readonly channels: 1 | 3;
  /** Bits of a sample. */
  readonly bits: number;
  /** What the samples are. */
  readonly kind: SampleKind;
  /** `[H, W, C]`. */
  readonly data: SampleData;
}

/** How far the samples of an image reach. */
export interface SampleExtent {
  /** Bits of a sample, as the file has it. */
  readonly bits: number;
  /** What the samples are. */
  readonly kind: SampleKind;
  /** The smallest sample. */
  readonly least: number;
  /** The largest. */
  readonly most: number;
}

/** Whether samples take a range to become levels: all but those of 8 bits. */
export function isDeep(
  { bits, kind }: Pick<Samples, "bits" | "kind">,
): boolean {
  return bits > 8 || kind !== "unsigned";
}

/**
 * How far the samples of an image reach.
 *
 * @throws {RangeError} If one is NaN.
 */
export function extentOf({ bits, kind, data }: Samples): SampleExtent {
  let [least, most] = [Infinity, -Infinity];
  for (let i = 0; i < data.length; i++) {
    const sample = data[i]!;
    if (sample < least) least = sample;
    if (sample > most) most = sample;
    if (sample !== sample) throw notANumber();
  }
  return { bits, kind, least, most };
}

/** The error of an image that holds a NaN. */
export function notANumber(): RangeError {
  return new RangeError("one of its samples is NaN, expected numbers");
}

/** Bits that a whole number from 0 up takes. */
export function bitsOf(sample: number): number {
  return Math.ceil(Math.log2(Math.floor(sample) + 1));
}
