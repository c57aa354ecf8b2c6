/**
 * ONNX TensorProto to {@linkcode HostTensor}, whichever of the format's five
 * ways of storing elements is used.
 *
 * @module
 */
import type { HostTensor } from "../graph.ts";
import { OnnxError } from "./errors.ts";
import type { LongLike, TensorMessage } from "./proto.ts";

/**
 * Reads bytes of an external data file.
 *
 * @param location Path relative to the model's folder; never leaves it.
 * @param offset First byte.
 * @param length Number of bytes, or `undefined` for all that follow.
 */
export type ReadExternal = (
  location: string,
  offset: number,
  length: number | undefined,
) => Uint8Array | Promise<Uint8Array>;

/** Element types by their number in TensorProto.DataType. */
const TYPES: Readonly<Record<number, { name: string; size: number }>> = {
  1: { name: "float32", size: 4 },
  2: { name: "uint8", size: 1 },
  3: { name: "int8", size: 1 },
  6: { name: "int32", size: 4 },
  7: { name: "int64", size: 8 },
  9: { name: "bool", size: 1 },
  10: { name: "float16", size: 2 },
  11: { name: "float64", size: 8 },
  16: { name: "bfloat16", size: 2 },
};

/** Names of the element types that are not read, by the same numbers. */
const OTHER_TYPES: Readonly<Record<number, string>> = {
  4: "uint16",
  5: "int16",
  8: "string",
  12: "uint32",
  13: "uint64",
  14: "complex64",
  15: "complex128",
  17: "float8",
  18: "float8",
  19: "float8",
  20: "float8",
  21: "uint4",
  22: "int4",
  23: "float4",
};

/** Whether tensors of an element type can be read. */
export function isSupportedType(type: number | null | undefined): boolean {
  return TYPES[type ?? 0] !== undefined;
}

/** An element type as errors name it: its number, and its name where it has one. */
export function typeName(type: number | null | undefined): string {
  const name = TYPES[type ?? 0]?.name ?? OTHER_TYPES[type ?? 0];
  return name === undefined ? `${type ?? 0}` : `${type} (${name})`;
}

/** No tensor of a convolutional network comes near 2^31 elements. */
const MAX_ELEMENTS = 2 ** 31;

/**
 * A tensor of the bytes that a file beside the model holds of it, widening or
 * narrowing every float type to float32. Aligned bytes stay where they are.
 *
 * @throws {OnnxError} `tensor_type`, `tensor_size`, `too_large`.
 */
export function readExternalTensor(
  tensor: TensorMessage,
  bytes: Uint8Array,
): HostTensor {
  return decodeRaw(tensor, layoutOf(tensor).shape, bytes);
}

/**
 * Reads a tensor that lies in the model file itself, widening or narrowing
 * every float type to float32. Aligned float32 and int data stay views on the
 * file's bytes.
 *
 * @throws {OnnxError} `tensor_type`, `tensor_size`, `too_large`, `external_data`.
 */
export function readInlineTensor(tensor: TensorMessage): HostTensor {
  const { shape, count } = layoutOf(tensor);
  if (tensor.dataLocation === 1) {
    throw new OnnxError(
      "external_data",
      `Cannot read tensor "${tensor.name}": attributes must not be external`,
    );
  }
  const raw = tensor.rawData;
  if (raw && raw.length > 0) return decodeRaw(tensor, shape, raw);
  return decodeLists(tensor, shape, count);
}

/** Exact value of a protobuf integer, saturated to ±(2^53 − 1). */
export function toInteger(value: LongLike | null | undefined): number {
  const number = Number(value ?? 0);
  const limit = Number.MAX_SAFE_INTEGER;
  return Math.min(Math.max(number, -limit), limit);
}

function layoutOf(
  tensor: TensorMessage,
): { shape: number[]; count: number; bytes: number } {
  const name = tensor.name ?? "";
  const type = TYPES[tensor.dataType ?? 0];
  if (!type) {
    throw new OnnxError(
      "tensor_type",
      `Cannot read tensor "${name}": element type ${
        typeName(tensor.dataType)
      } is not supported`,
      { hint: "export the network in float32, without quantisation" },
    );
  }
  const shape = (tensor.dims ?? []).map(toInteger);
  let count = 1;
  for (const extent of shape) {
    if (extent < 0) {
      throw new OnnxError(
        "tensor_size",
        `Cannot read tensor "${name}": its shape [${shape}] is negative`,
      );
    }
    count *= extent;
  }
  if (count > MAX_ELEMENTS || shape.some((extent) => extent > MAX_ELEMENTS)) {
    throw new OnnxError(
      "too_large",
      `Cannot read tensor "${name}": its shape [${shape}] has more than 2^31 elements`,
    );
  }
  return { shape, count, bytes: count * type.size };
}

/**
 * Where the bytes of an external tensor lie.
 *
 * @throws {OnnxError} When its description makes no sense.
 */
export function externalPart(
  tensor: TensorMessage,
): { location: string; offset: number; length: number } {
  const { bytes: expected } = layoutOf(tensor);
  const name = tensor.name ?? "";
  const entries = new Map(
    (tensor.externalData ?? []).map((e) => [e.key ?? "", e.value ?? ""]),
  );
  const location = checkedLocation(name, entries.get("location"));
  const offset = byteCount(name, "offset", entries.get("offset")) ?? 0;
  const length = byteCount(name, "length", entries.get("length"));
  if (length !== undefined) checkSize(tensor, length, expected);
  return { location, offset, length: expected };
}

function checkedLocation(name: string, location: string | undefined): string {
  const parts = location?.split("/") ?? [];
  const inside = location !== undefined && location !== "" &&
    !location.includes("\\") && !location.includes("\0") &&
    !/^[A-Za-z]:/.test(location) &&
    parts.every((part) => part !== "" && part !== "..");
  if (!inside) {
    throw new OnnxError(
      "external_data",
      `Cannot read tensor "${name}": external location ${
        JSON.stringify(location ?? "")
      } is not a path inside the model's folder`,
      { hint: "export the model again with its data file beside it" },
    );
  }
  return location;
}

function byteCount(
  name: string,
  key: string,
  value: string | undefined,
): number | undefined {
  if (value === undefined) return undefined;
  const number = /^\d+$/.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(number)) {
    throw new OnnxError(
      "external_data",
      `Cannot read tensor "${name}": external ${key} ${
        JSON.stringify(value)
      } is not a number of bytes`,
    );
  }
  return number;
}

function checkSize(
  tensor: TensorMessage,
  bytes: number,
  expected: number,
): void {
  if (bytes === expected) return;
  const type = TYPES[tensor.dataType ?? 0]!.name;
  throw new OnnxError(
    "tensor_size",
    `Cannot read tensor "${tensor.name}": it has ${bytes} bytes, ${type} of shape [${
      (tensor.dims ?? []).map(toInteger)
    }] takes ${expected}`,
    { hint: "the file is damaged, export or download it again" },
  );
}

function decodeRaw(
  tensor: TensorMessage,
  shape: readonly number[],
  raw: Uint8Array,
): HostTensor {
  const type = tensor.dataType ?? 0;
  const { size } = TYPES[type]!;
  const count = shape.reduce((a, b) => a * b, 1);
  checkSize(tensor, raw.length, count * size);
  const aligned = raw.byteOffset % size === 0 &&
    raw.buffer instanceof ArrayBuffer;
  const bytes = aligned ? raw : new Uint8Array(raw);
  const buffer = bytes.buffer as ArrayBuffer;
  const at = bytes.byteOffset;
  switch (type) {
    case 1:
      return {
        dtype: "float32",
        shape,
        data: new Float32Array(buffer, at, count),
      };
    case 2:
      return { dtype: "uint8", shape, data: new Uint8Array(buffer, at, count) };
    case 3:
      return { dtype: "int8", shape, data: new Int8Array(buffer, at, count) };
    case 6:
      return { dtype: "int32", shape, data: new Int32Array(buffer, at, count) };
    case 7:
      return {
        dtype: "int64",
        shape,
        data: new BigInt64Array(buffer, at, count),
      };
    case 9:
      return { dtype: "bool", shape, data: new Uint8Array(buffer, at, count) };
    case 11:
      return floats(shape, new Float64Array(buffer, at, count));
    default:
      return halves(type, shape, new Uint16Array(buffer, at, count));
  }
}

function decodeLists(
  tensor: TensorMessage,
  shape: readonly number[],
  count: number,
): HostTensor {
  const type = tensor.dataType ?? 0;
  const list: ArrayLike<unknown> =
    (type === 1
      ? tensor.floatData
      : type === 11
      ? tensor.doubleData
      : type === 7
      ? tensor.int64Data
      : tensor.int32Data) ?? [];
  if (list.length !== count) {
    throw new OnnxError(
      "tensor_size",
      `Cannot read tensor "${tensor.name}": it has ${list.length} values, shape [${shape}] takes ${count}`,
      { hint: "the file is damaged, export or download it again" },
    );
  }
  if (type === 1) return floats(shape, tensor.floatData ?? []);
  if (type === 11) return floats(shape, tensor.doubleData ?? []);
  if (type === 7) {
    const data = BigInt64Array.from(
      tensor.int64Data ?? [],
      (value) => BigInt(value.toString()),
    );
    return { dtype: "int64", shape, data };
  }
  const ints = tensor.int32Data ?? [];
  switch (type) {
    case 2:
      return { dtype: "uint8", shape, data: Uint8Array.from(ints) };
    case 3:
      return { dtype: "int8", shape, data: Int8Array.from(ints) };
    case 6:
      return { dtype: "int32", shape, data: Int32Array.from(ints) };
    case 9:
      return { dtype: "bool", shape, data: Uint8Array.from(ints) };
    default:
      return halves(type, shape, Uint16Array.from(ints));
  }
}

function floats(
  shape: readonly number[],
  values: ArrayLike<number>,
): HostTensor {
  return { dtype: "float32", shape, data: new Float32Array(values) };
}

function halves(
  type: number,
  shape: readonly number[],
  bits: Uint16Array<ArrayBuffer>,
): HostTensor {
  if (type !== 16) {
    return floats(
      shape,
      new Float16Array(bits.buffer, bits.byteOffset, bits.length),
    );
  }
  const data = new Float32Array(bits.length);
  const words = new Uint32Array(data.buffer);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  return { dtype: "float32", shape, data };
}
