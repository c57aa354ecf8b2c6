/** An array of a `.npy` file. */
export interface NpyArray {
  /** Size of each dimension, C order. */
  readonly shape: readonly number[];
  /** The values. */
  readonly data: Float32Array<ArrayBuffer>;
}

const MAGIC = "\x93NUMPY";
const ALIGNMENT = 64;

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

/**
 * Reads a NumPy file of float32 in C order.
 *
 * @throws {SyntaxError} If it is no such file, truncated or too long.
 */
export function decodeNpy(bytes: Uint8Array, name: string): NpyArray {
  const refuse = (problem: string): never => {
    throw new SyntaxError(`Cannot read NumPy file "${name}": ${problem}`);
  };
  const head = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  if (head !== MAGIC || bytes.length < 12) refuse("it is not a NumPy file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const wide = bytes[MAGIC.length]! >= 2;
  const prefix = MAGIC.length + (wide ? 6 : 4);
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = prefix + length;
  if (start > bytes.length) refuse("it ends within its header");
  const header = new TextDecoder().decode(bytes.subarray(prefix, start));
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  if (type !== "<f4") refuse(`its type is ${type}, expected <f4`);
  if (!/'fortran_order':\s*False/.test(header)) {
    refuse("it is in Fortran order, expected C order");
  }
  const tuple = /'shape':\s*\(([\d\s,]*)\)/.exec(header)?.[1];
  if (tuple === undefined) refuse("its header has no shape");
  const shape = tuple!.split(",").map((size) => size.trim())
    .filter((size) => size !== "").map(Number);
  const count = shape.reduce((product, size) => product * size, 1);
  if (bytes.length - start !== count * 4) {
    refuse(
      `it has ${bytes.length - start} bytes of data, shape [${shape}] needs ${
        count * 4
      }`,
    );
  }
  const data = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    data[i] = view.getFloat32(start + i * 4, true);
  }
  return { shape, data };
}

function writeAscii(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}
