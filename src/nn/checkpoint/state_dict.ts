import { readSafetensors } from "../safetensors.ts";
import type { StoredTensor } from "../stored_tensor.ts";
import { CheckpointError, printable } from "./checkpoint_error.ts";
import { describe, type PickleValue } from "./pickle.ts";
import { isLegacyPth, isZip, readPth } from "./pth.ts";
import { TorchTensor } from "./torch_tensor.ts";

/** Keys under which training programs put the weights. */
const WRAPPERS = ["state_dict", "model_state_dict", "model", "net"];

/** Formats weights come in. */
export type CheckpointFormat =
  | "safetensors"
  | "PyTorch zip archive"
  | "PyTorch before 1.6";

/** The weights of a network by name. */
export type StateDict = ReadonlyMap<string, StoredTensor>;

/**
 * Returns the format of a weights file, by its content.
 *
 * @throws {CheckpointError} When it is none; the message says what it looks like.
 */
export function checkpointFormat(bytes: Uint8Array): CheckpointFormat {
  if (isZip(bytes)) return "PyTorch zip archive";
  if (isLegacyPth(bytes)) return "PyTorch before 1.6";
  if (bytes.length > 8 && bytes[8] === 0x7b) return "safetensors";
  throw new CheckpointError(
    `Cannot read the checkpoint: it is ${
      looksLike(bytes)
    }, expected .safetensors or what torch.save writes`,
  );
}

/**
 * Reads the weights of a `.safetensors`, `.pth` or `.pt` file. A training
 * checkpoint's `state_dict` is found, and the `module.` that data-parallel
 * training puts before every name is taken off.
 *
 * @throws {CheckpointError} When the file is malformed, holds no tensors, or
 * more than data.
 * @throws {SafetensorsError} When a safetensors file is malformed.
 */
export function readStateDict(bytes: Uint8Array): StateDict {
  const tensors = checkpointFormat(bytes) === "safetensors"
    ? readSafetensors(bytes).tensors
    : storedTensors(readPth(bytes), bytes.length);
  if (tensors.size === 0) {
    throw new CheckpointError("Cannot read the checkpoint: it has no tensors");
  }
  return withoutPrefix(tensors, "module.");
}

function storedTensors(value: PickleValue, fileBytes: number): StateDict {
  const dict = findTensors(value);
  const stored = new Map<string, StoredTensor>();
  let total = 0;
  for (const [name, tensor] of dict) {
    const read = tensor.toStored();
    total += read.data.byteLength;
    if (total > 2 * fileBytes) {
      throw new CheckpointError(
        `Cannot read the checkpoint: its tensors overlap, they take more than ` +
          `twice the file's ${fileBytes} bytes`,
      );
    }
    stored.set(name, read);
  }
  return stored;
}

/** A state dict inside that many dicts is found; nobody wraps it deeper. */
const MAX_WRAPPERS = 4;

function findTensors(value: PickleValue, depth = 0): Map<string, TorchTensor> {
  if (!(value instanceof Map)) {
    throw new CheckpointError(
      `Cannot read the checkpoint: it holds ${
        value instanceof TorchTensor ? "one tensor" : describe(value)
      }, expected a dict of tensors; save model.state_dict()`,
    );
  }
  const tensors = new Map<string, TorchTensor>();
  for (const [name, tensor] of value) {
    if (typeof name === "string" && tensor instanceof TorchTensor) {
      tensors.set(name, tensor);
    }
  }
  if (tensors.size > 0 || depth === MAX_WRAPPERS) return tensors;
  const wrapper = WRAPPERS.find((key) => value.get(key) instanceof Map);
  return wrapper === undefined
    ? tensors
    : findTensors(value.get(wrapper)!, depth + 1);
}

function withoutPrefix(tensors: StateDict, prefix: string): StateDict {
  const names = [...tensors.keys()];
  if (!names.every((name) => name.startsWith(prefix))) return tensors;
  return new Map(
    [...tensors].map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
}

function looksLike(bytes: Uint8Array): string {
  if (bytes.length === 0) return "empty";
  const start = new TextDecoder().decode(bytes.subarray(0, 60)).trimStart();
  if (start.startsWith("version https://git-lfs")) {
    return "a Git LFS pointer (run git lfs pull)";
  }
  if (/^<(!doctype|html|\?xml)/i.test(start)) return "a web page";
  if (bytes[0] === 0x80) return "a pickle that torch.save did not write";
  return `of no known format (it begins with "${
    printable(start.slice(0, 16))
  }")`;
}
