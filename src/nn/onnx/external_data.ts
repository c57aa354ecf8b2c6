/**
 * Tensors kept in files beside the model: each file is read once, and every
 * tensor is a part of what was read.
 *
 * @module
 */
import { OnnxError } from "./errors.ts";
import type { TensorMessage } from "./proto.ts";
import { externalPart, type ReadExternal } from "./tensor_data.ts";

/** A file whose tensors lie further apart than this many times their own size is read tensor by tensor. */
const MAX_SPREAD = 2;
/** Gaps up to this many bytes never matter. */
const SMALL_GAP = 2 ** 20;
/** Git LFS pointers are smaller than this. */
const LFS_BYTES = 1024;
const LFS_START = "version https://git-lfs";

/** The bytes that a model needs of one file. */
interface Range {
  start: number;
  end: number;
  wanted: number;
  bytes?: Promise<Uint8Array>;
}

/** Reads the external tensors of one model. */
export class ExternalFiles {
  readonly #read: ReadExternal | undefined;
  readonly #ranges = new Map<string, Range>();

  /**
   * Finds out which part of which file is needed.
   *
   * @throws {OnnxError} When a tensor's description makes no sense.
   */
  constructor(
    tensors: readonly TensorMessage[],
    read: ReadExternal | undefined,
  ) {
    this.#read = read;
    for (const tensor of tensors) {
      const { location, offset, length } = externalPart(tensor);
      const range = this.#ranges.get(location) ??
        { start: offset, end: offset, wanted: 0 };
      range.start = Math.min(range.start, offset);
      range.end = Math.max(range.end, offset + length);
      range.wanted += length;
      this.#ranges.set(location, range);
    }
  }

  /**
   * The bytes of a tensor, a view on what was read of its file.
   *
   * @throws {OnnxError} `git_lfs_pointer`, `tensor_size` or `external_data`.
   */
  async bytes(tensor: TensorMessage): Promise<Uint8Array> {
    const name = tensor.name ?? "";
    const { location, offset, length } = externalPart(tensor);
    const read = this.#read;
    if (!read) {
      throw new OnnxError(
        "external_data",
        `Cannot read tensor "${name}": its values are in the file "${location}", and no way to read that was given`,
        {
          hint: "keep the data file beside the model and open it by its path",
        },
      );
    }
    const range = this.#ranges.get(location)!;
    const span = range.end - range.start;
    const whole = span <= MAX_SPREAD * range.wanted + SMALL_GAP;
    const first = whole ? range.start : offset;
    const end = whole ? range.end : offset + length;
    // From the beginning where that is near, to see whether it is a pointer.
    const start = first < LFS_BYTES ? 0 : first;
    const load = async (): Promise<Uint8Array> =>
      await read(location, start, Math.max(end - start, LFS_START.length));
    const bytes = await (whole ? range.bytes ??= load() : load());
    const part = bytes.subarray(offset - start, offset - start + length);
    const short = part.length < length;
    const head = start === 0
      ? bytes
      : short
      ? await read(location, 0, LFS_START.length)
      : undefined;
    if (head && isLfsPointer(head)) throw lfsPointer(name, location);
    if (head && isWebPage(head)) throw webPage(name, location);
    if (short) throw tooShort(name, location, offset + length, part.length);
    return part;
  }
}

function isLfsPointer(head: Uint8Array): boolean {
  const start = head.subarray(0, LFS_START.length);
  return new TextDecoder().decode(start) === LFS_START;
}

function isWebPage(head: Uint8Array): boolean {
  const start = new TextDecoder().decode(head.subarray(0, LFS_START.length));
  return /^\s*<(!doctype|html)/i.test(start);
}

function webPage(name: string, location: string): OnnxError {
  return new OnnxError(
    "web_page",
    `Cannot read tensor "${name}": the data file "${location}" is a web page`,
    { hint: "download the file itself, not the page that shows it" },
  );
}

function lfsPointer(name: string, location: string): OnnxError {
  return new OnnxError(
    "git_lfs_pointer",
    `Cannot read tensor "${name}": the data file "${location}" is a Git LFS pointer, not the weights it points to`,
    { hint: 'fetch them with "git lfs pull"' },
  );
}

function tooShort(
  name: string,
  location: string,
  end: number,
  found: number,
): OnnxError {
  return new OnnxError(
    "tensor_size",
    `Cannot read tensor "${name}": the data file "${location}" has ${found} of its bytes, it should reach to byte ${end}`,
    { hint: "the file is damaged, export or download it again" },
  );
}
