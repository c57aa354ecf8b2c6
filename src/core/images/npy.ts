import { shown } from "../settings/shown.ts";

/** A NumPy array as its file holds it. */
export interface NpyArray {
  /** The array's dimensions. */
  readonly shape: readonly number[];
  /** The values in row-major (C) order; 64-bit integers are BigInts. */
  readonly data: NpyData;
}

/** Values of a NumPy array. */
type NpyData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

const TYPES = {
  "|b1": Uint8Array,
  "|u1": Uint8Array,
  "|i1": Int8Array,
  "<u2": Uint16Array,
  "<i2": Int16Array,
  "<u4": Uint32Array,
  "<i4": Int32Array,
  "<u8": BigUint64Array,
  "<i8": BigInt64Array,
  "<f4": Float32Array,
  "<f8": Float64Array,
} as const;

const MAGIC = "\x93NUMPY";
const ALIGNMENT = 64;

/**
 * Parses a `.npy` file, versions 1 to 3: booleans, integers and floats,
 * little-endian and row-major.
 *
 * @throws {SyntaxError} If the file is damaged or of another kind.
 */
export function parseNpy(bytes: Uint8Array, name = "array"): NpyArray {
  const magic = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  if (magic !== MAGIC || bytes.length < 12) {
    throw problem(name, "it does not start as a NumPy file");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = bytes[6]! > 1;
  const start = long ? 12 : 10;
  const length = long ? view.getUint32(8, true) : view.getUint16(8, true);
  if (start + length > bytes.length) {
    throw problem(name, `its header of ${length} bytes is cut off`);
  }
  const header = new TextDecoder().decode(
    bytes.subarray(start, start + length),
  );
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? "";
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  if (!isKnown(descr) || shape === undefined || order !== "False") {
    throw problem(
      name,
      `expected a row-major array of ${
        Object.keys(TYPES).join(", ")
      }, found header ${shown(header.trim())}`,
    );
  }
  const dims = shape.split(",").map((part) => part.trim())
    .filter((part) => part !== "").map(Number);
  const count = dims.reduce((product, size) => product * size, 1);
  const type = TYPES[descr];
  const expected = count * type.BYTES_PER_ELEMENT;
  const body = bytes.subarray(start + length);
  if (body.length !== expected) {
    throw problem(
      name,
      `it has ${body.length} bytes of data, shape (${
        dims.join(", ")
      }) of ${descr} needs ${expected}`,
    );
  }
  const aligned = body.byteOffset % type.BYTES_PER_ELEMENT === 0;
  const source = aligned ? body : body.slice();
  return {
    shape: dims,
    data: new type(source.buffer as ArrayBuffer, source.byteOffset, count),
  };
}

/**
 * Writes float32 values as a NumPy file (format 1.0, little-endian, C order).
 *
 * @throws {RangeError} If the values are not as many as the shape says.
 */
export function encodeNpy(
  data: Float32Array,
  shape: readonly number[],
): Uint8Array<ArrayBuffer> {
  const count = shape.reduce((product, size) => product * size, 1);
  if (count !== data.length) {
    throw new RangeError(
      `Cannot encode shape [${shape}]: it has ${count} values, data has ${data.length}`,
    );
  }
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const fields =
    `{'descr': '<f4', 'fortran_order': False, 'shape': (${tuple}), }`;
  const prefix = MAGIC.length + 4;
  const start = Math.ceil((prefix + fields.length + 1) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(start + data.length * 4);
  const view = new DataView(bytes.buffer);
  writeAscii(bytes, 0, MAGIC);
  bytes[MAGIC.length] = 1;
  view.setUint16(MAGIC.length + 2, start - prefix, true);
  writeAscii(bytes, prefix, `${fields.padEnd(start - prefix - 1)}\n`);
  data.forEach((value, i) => view.setFloat32(start + i * 4, value, true));
  return bytes;
}

/** A grey mask. */
interface FrameMask {
  /** Columns. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** `[H, W]`, 255 where the array is not 0, else 0. */
  readonly gray: Uint8Array<ArrayBuffer>;
}

/**
 * One frame of an array of masks.
 *
 * @param array Masks `[frames, H, W]`.
 * @throws {RangeError} If the array has not three dimensions or not that frame.
 */
export function npyFrame(
  array: NpyArray,
  frame: number,
  name = "array",
): FrameMask {
  const [frames = 0, height = 0, width = 0] = array.shape;
  if (array.shape.length !== 3 || !(frame >= 0 && frame < frames)) {
    throw new RangeError(
      `Cannot take frame ${frame} of "${name}": expected masks [frames, H, W] with that frame, found shape (${
        array.shape.join(", ")
      })`,
    );
  }
  const pixels = height * width;
  const gray = new Uint8Array(pixels);
  for (let i = 0; i < pixels; i++) {
    if (array.data[frame * pixels + i]) gray[i] = 255;
  }
  return { width, height, gray };
}

function isKnown(descr: string): descr is keyof typeof TYPES {
  return Object.hasOwn(TYPES, descr);
}

function problem(name: string, what: string): SyntaxError {
  return new SyntaxError(`Cannot read NumPy file "${name}": ${what}`);
}

function writeAscii(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}
