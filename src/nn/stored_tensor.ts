/** Element types a stored tensor may have, as safetensors spells them. */
export type StoredDtype =
  | "BOOL"
  | "U8"
  | "I8"
  | "U16"
  | "I16"
  | "F16"
  | "BF16"
  | "U32"
  | "I32"
  | "F32"
  | "U64"
  | "I64"
  | "F64";

/** The array that holds a stored tensor's elements; BF16 stays as its bits. */
type StoredData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Float16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | BigUint64Array
  | BigInt64Array
  | Float64Array;

/** A tensor as it lies in a file: row-major, little-endian, contiguous. */
export interface StoredTensor {
  /** Element type. */
  readonly dtype: StoredDtype;
  /** Sizes, outermost first; `[]` is a scalar. */
  readonly shape: readonly number[];
  /** The elements; their count is the product of `shape`. */
  readonly data: StoredData;
}

interface DataConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): StoredData;
}

const CONSTRUCTORS: Readonly<Record<StoredDtype, DataConstructor>> = {
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  U16: Uint16Array,
  I16: Int16Array,
  F16: Float16Array,
  BF16: Uint16Array,
  U32: Uint32Array,
  I32: Int32Array,
  F32: Float32Array,
  U64: BigUint64Array,
  I64: BigInt64Array,
  F64: Float64Array,
};

/** Says whether `name` is a dtype that can be stored. */
export function isStoredDtype(name: unknown): name is StoredDtype {
  return typeof name === "string" && Object.hasOwn(CONSTRUCTORS, name);
}

/** Returns the bytes one element of `dtype` takes. */
export function dtypeBytes(dtype: StoredDtype): number {
  return CONSTRUCTORS[dtype].BYTES_PER_ELEMENT;
}

/**
 * Returns the number of elements in `shape`, or `undefined` when a size is not
 * a whole number ≥ 0 or the product is too large to be exact.
 */
export function elementCount(shape: readonly unknown[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || (size as number) < 0) return undefined;
    count *= size as number;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/**
 * Reads `bytes` as elements of `dtype`: a view where the bytes are aligned for
 * it, a copy elsewhere. The length must be a multiple of the element size.
 */
export function typedData(dtype: StoredDtype, bytes: Uint8Array): StoredData {
  const make = CONSTRUCTORS[dtype];
  const size = make.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new make(aligned.buffer, aligned.byteOffset, bytes.length / size);
}

/** Returns the elements' bytes, a view on the same memory. */
export function dataBytes(data: StoredData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * Returns the elements as float32: the array itself for F32, a converted copy
 * for F16, BF16 and F64.
 *
 * @throws {TypeError} When the tensor does not hold floating-point numbers.
 */
export function floatData(tensor: StoredTensor): Float32Array {
  const { dtype, data } = tensor;
  if (data instanceof Float32Array) return data;
  if (data instanceof Float16Array) return new Float32Array(data);
  if (data instanceof Float64Array) return new Float32Array(data);
  if (dtype === "BF16" && data instanceof Uint16Array) {
    const bits = new Uint32Array(data.length);
    for (let i = 0; i < data.length; i++) bits[i] = data[i] << 16;
    return new Float32Array(bits.buffer);
  }
  throw new TypeError(
    `Cannot read the tensor as float32: expected F16, BF16, F32 or F64, got ${dtype}`,
  );
}
