/**
 * The safetensors file format: `u64` header length, JSON header, tensor bytes.
 * Every malformation has a name of its own, see {@linkcode SafetensorsFault}.
 *
 * Source: https://github.com/huggingface/safetensors#format
 *
 * @module
 */

import { duplicateKey } from "./json_keys.ts";
import {
  dataBytes,
  dtypeBytes,
  elementCount,
  isStoredDtype,
  type StoredTensor,
  typedData,
} from "./stored_tensor.ts";

/** What can be wrong with a safetensors file. */
export type SafetensorsFault =
  | "truncated"
  | "header_too_large"
  | "header_length"
  | "header_encoding"
  | "header_json"
  | "duplicate_key"
  | "metadata"
  | "tensor_info"
  | "unknown_dtype"
  | "shape"
  | "size_mismatch"
  | "offsets"
  | "overlap"
  | "hole"
  | "trailing_bytes";

/** A file or a set of tensors that is not valid safetensors. */
export class SafetensorsError extends Error {
  /** Tells this class of errors from others. */
  override readonly name = "SafetensorsError";
  /** The kind of malformation. */
  readonly fault: SafetensorsFault;

  /** Makes the error for `fault`; `message` is the whole sentence. */
  constructor(fault: SafetensorsFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** The content of a safetensors file. */
interface Safetensors {
  /** The `__metadata__` strings, in file order. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The tensors by name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** The largest header read, in bytes; the same as the format's own library. */
const MAX_HEADER_BYTES = 100_000_000;

interface Entry {
  readonly name: string;
  readonly tensor: Omit<StoredTensor, "data">;
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file. Tensor data are views on `bytes` where aligned.
 * Values are not looked at: NaN and infinities pass.
 *
 * @throws {SafetensorsError} When the file is malformed in any way.
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const { header, start } = readHeader(bytes);
  const metadata = readMetadata(header["__metadata__"]);
  const entries = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, info]) => readEntry(name, info))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(entries, bytes.length - start);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, tensor, begin, end } of entries) {
    const data = typedData(
      tensor.dtype,
      bytes.subarray(start + begin, start + end),
    );
    tensors.set(name, { ...tensor, data });
  }
  return { metadata, tensors };
}

function readHeader(
  bytes: Uint8Array,
): { header: Record<string, unknown>; start: number } {
  if (bytes.length < 8) {
    throw fault("truncated", `file has ${bytes.length} bytes, expected 8 more`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw fault(
      "header_too_large",
      `header claims ${length} bytes, the limit is ${MAX_HEADER_BYTES}`,
    );
  }
  const start = 8 + Number(length);
  if (start > bytes.length) {
    throw fault(
      "header_length",
      `header claims ${length} bytes, file has ${bytes.length - 8} left`,
    );
  }
  const text = decodeHeader(bytes.subarray(8, start));
  if (text[0] !== "{") {
    throw fault("header_json", `header does not begin with "{"`);
  }
  const header = parseHeader(text);
  const twice = duplicateKey(text);
  if (twice !== undefined) {
    throw fault("duplicate_key", `header has the key ${quote(twice)} twice`);
  }
  return { header, start };
}

function decodeHeader(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
  } catch {
    throw fault("header_encoding", "header is not UTF-8");
  }
}

function parseHeader(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw fault("header_json", `header is not JSON: ${messageOf(error)}`);
  }
}

function readMetadata(value: unknown): Map<string, string> {
  if (value === undefined) return new Map();
  if (!isRecord(value)) {
    throw fault("metadata", `"__metadata__" is not an object`);
  }
  const metadata = new Map<string, string>();
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") {
      throw fault(
        "metadata",
        `"__metadata__" value ${quote(key)} is not a string`,
      );
    }
    metadata.set(key, text);
  }
  return metadata;
}

function readEntry(name: string, info: unknown): Entry {
  const at = `tensor ${quote(name)}`;
  if (!isRecord(info)) throw fault("tensor_info", `${at} is not an object`);
  const { dtype, shape, data_offsets: offsets } = info;
  if (!isStoredDtype(dtype)) {
    throw fault("unknown_dtype", `${at} has dtype ${show(dtype)}`);
  }
  const count = Array.isArray(shape) ? elementCount(shape) : undefined;
  const size = (count ?? NaN) * dtypeBytes(dtype);
  if (!Number.isSafeInteger(size)) {
    throw fault("shape", `${at} has shape ${show(shape)}`);
  }
  if (
    !Array.isArray(offsets) || offsets.length !== 2 ||
    !offsets.every((x) => Number.isSafeInteger(x) && x >= 0) ||
    offsets[0] > offsets[1]
  ) {
    throw fault("offsets", `${at} has data_offsets ${show(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  if (end - begin !== size) {
    throw fault(
      "size_mismatch",
      `${at} has ${
        end - begin
      } bytes, shape [${shape}] of ${dtype} needs ${size}`,
    );
  }
  return { name, tensor: { dtype, shape: shape as number[] }, begin, end };
}

function checkCoverage(entries: readonly Entry[], length: number): void {
  let covered = 0;
  for (const { name, begin, end } of entries) {
    const at = `tensor ${quote(name)}`;
    if (begin < covered) {
      throw fault("overlap", `${at} begins at ${begin}, before ${covered}`);
    }
    if (begin > covered) {
      throw fault("hole", `no tensor covers bytes ${covered} to ${begin}`);
    }
    if (end > length) {
      throw fault("truncated", `${at} ends at ${end}, data has ${length}`);
    }
    covered = end;
  }
  if (covered < length) {
    throw fault(
      "trailing_bytes",
      `no tensor covers bytes ${covered} to ${length}`,
    );
  }
}

/**
 * Writes a safetensors file. Wider dtypes come first so that every tensor is
 * aligned; within a dtype the order is by name, so the same content gives the
 * same bytes. Metadata keep their order.
 *
 * @throws {SafetensorsError} When a tensor's data do not fit its shape.
 */
export function writeSafetensors(
  tensors: Iterable<readonly [string, StoredTensor]>,
  metadata: Iterable<readonly [string, string]> = [],
): Uint8Array<ArrayBuffer> {
  const sorted = [...tensors].sort(([a, x], [b, y]) =>
    dtypeBytes(y.dtype) - dtypeBytes(x.dtype) || (a < b ? -1 : a > b ? 1 : 0)
  );
  const header = new Map<string, unknown>();
  const strings = Object.fromEntries(metadata);
  if (Object.keys(strings).length > 0) header.set("__metadata__", strings);
  let end = 0;
  for (const [name, tensor] of sorted) {
    if (header.has(name) || name === "__metadata__") {
      throw new SafetensorsError(
        "duplicate_key",
        `Cannot write safetensors: the name ${quote(name)} is taken`,
      );
    }
    checkData(name, tensor);
    const begin = end;
    end += tensor.data.byteLength;
    const { dtype, shape } = tensor;
    header.set(name, { dtype, shape, data_offsets: [begin, end] });
  }
  const json = new TextEncoder().encode(JSON.stringify(asObject(header)));
  const start = 8 + Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(start + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.fill(0x20, 8, start);
  bytes.set(json, 8);
  let offset = start;
  for (const [, { data }] of sorted) {
    bytes.set(dataBytes(data), offset);
    offset += data.byteLength;
  }
  return bytes;
}

function checkData(name: string, tensor: StoredTensor): void {
  const { dtype, shape, data } = tensor;
  const count = elementCount(shape);
  if (count !== data.length || data.byteLength !== count * dtypeBytes(dtype)) {
    throw new SafetensorsError(
      "size_mismatch",
      `Cannot write tensor ${
        quote(name)
      }: shape [${shape}] of ${dtype} does not fit ${data.byteLength} bytes`,
    );
  }
}

/** An object without a prototype, so that a name such as "__proto__" is data. */
function asObject(map: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const object: Record<string, unknown> = Object.create(null);
  for (const [key, value] of map) object[key] = value;
  return object;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fault(kind: SafetensorsFault, what: string): SafetensorsError {
  return new SafetensorsError(kind, `Cannot read safetensors: ${what}`);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
