/**
 * PyTorch's `torch.save` files, both the zip archive (1.6 and later) and the
 * run of pickles before it.
 *
 * Source: torch/serialization.py
 *
 * @module
 */

import { ByteReader } from "./byte_reader.ts";
import { CheckpointError, malformed } from "./checkpoint_error.ts";
import { describe, type PickleValue, readPickle } from "./pickle.ts";
import { StorageTable, TORCH_GLOBALS } from "./torch_globals.ts";
import { readStoredZip } from "./zip.ts";

const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;

/** Says whether `bytes` begin like a zip archive. */
export function isZip(bytes: Uint8Array): boolean {
  return startsWith(bytes, [0x50, 0x4b, 0x03, 0x04]);
}

/** Says whether `bytes` begin like a file of PyTorch before 1.6. */
export function isLegacyPth(bytes: Uint8Array): boolean {
  // PROTO n, LONG1 of 10 bytes, the magic number.
  const magic = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
  return bytes[0] === 0x80 && startsWith(bytes.subarray(2), [0x8a, 10]) &&
    startsWith(bytes.subarray(4), magic);
}

/**
 * Reads the object that `torch.save` wrote, in either format. Tensors are views
 * on `bytes`, see {@linkcode TorchTensor}.
 *
 * @throws {CheckpointError} When the file is malformed, or holds more than
 * tensors, dicts, lists, tuples, numbers and strings.
 */
export function readPth(bytes: Uint8Array): PickleValue {
  return isZip(bytes) ? readZipPth(bytes) : readLegacyPth(bytes);
}

function readZipPth(bytes: Uint8Array): PickleValue {
  const files = readStoredZip(bytes, refuseProgram);
  const pickles = [...files.keys()].filter((name) =>
    /^[^/]+\/data\.pkl$/.test(name)
  );
  if (pickles.length !== 1) {
    throw malformed(
      'the archive has no "data.pkl": torch.save did not write it',
    );
  }
  const root = pickles[0].slice(0, -"data.pkl".length);
  const order = files.get(`${root}byteorder`);
  if (order && new TextDecoder().decode(order).trim() !== "little") {
    throw malformed("it was written on a big-endian machine");
  }
  const storages = new StorageTable();
  const value = readPickle(new ByteReader(files.get(pickles[0])!), {
    globals: TORCH_GLOBALS,
    persistentLoad: storages.load,
  });
  for (const [key, storage] of storages.entries()) {
    const data = files.get(`${root}data/${key}`);
    if (data?.length !== storage.byteLength) {
      throw malformed(
        `storage ${describe(key)} has ${data?.length ?? "no"} bytes, ` +
          `${storage.length} × ${storage.dtype} need ${storage.byteLength}`,
      );
    }
    storage.bytes = data;
  }
  return value;
}

function refuseProgram(name: string): void {
  if (/^[^/]+\/code\//.test(name)) {
    throw new CheckpointError(
      "Cannot read the checkpoint: it is a TorchScript program; " +
        "save its state_dict() with torch.save",
    );
  }
}

function readLegacyPth(bytes: Uint8Array): PickleValue {
  const reader = new ByteReader(bytes);
  const plain = { globals: new Map() };
  if (readPickle(reader, plain) !== LEGACY_MAGIC) {
    throw malformed("it has another magic number than torch.save writes");
  }
  const protocol = readPickle(reader, plain);
  if (protocol !== 1001) {
    throw malformed(
      `it has protocol version ${describe(protocol)}, expected 1001`,
    );
  }
  const system = readPickle(reader, plain);
  if (!(system instanceof Map) || system.get("little_endian") !== true) {
    throw malformed("it was written on a big-endian machine");
  }
  const storages = new StorageTable();
  const value = readPickle(reader, {
    globals: TORCH_GLOBALS,
    persistentLoad: storages.load,
  });
  const keys = readPickle(reader, plain);
  if (!Array.isArray(keys)) throw malformed("it has no list of storages");
  for (const key of keys) {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (!storage || storage.bytes) {
      throw malformed(`storage ${describe(key)} belongs to no tensor`);
    }
    const length = reader.u64();
    if (length !== storage.length) {
      throw malformed(
        `storage ${
          describe(key)
        } has ${length} elements, expected ${storage.length}`,
      );
    }
    storage.bytes = reader.take(storage.byteLength);
  }
  return value;
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}
