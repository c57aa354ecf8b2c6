import { basename, dirname, join, normalize, resolve } from "node:path";
import type { FileEntry, Files } from "../core/datasets/files.ts";

/** A file that cannot be read or must not be written: exit code 1. */
export class FileError extends Error {
  override name = "FileError";
}

/** The file system of this machine, as datasets are read from it. */
export const DISK: Files = {
  async *list(path: string): AsyncIterable<FileEntry> {
    for (const entry of await entriesOf(path)) {
      if (!entry.isSymlink) {
        yield entry;
        continue;
      }
      const target = await statOrNothing(`${path}/${entry.name}`);
      const { isFile = false, isDirectory = false } = target ?? {};
      yield { name: entry.name, isFile, isDirectory };
    }
  },
  read: readFile,
};

async function entriesOf(path: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(path));
  } catch (error) {
    throw new FileError(`Cannot read folder "${path}": ${reason(error)}`, {
      cause: error,
    });
  }
}

/** Bytes of the largest image file that is read. */
const MAX_IMAGE_BYTES = 2 ** 30;

/**
 * Reads a whole file.
 *
 * @param path The file.
 * @param maxBytes The most it may have.
 * @throws {FileError} If it cannot be read or is too large, saying why.
 */
export async function readFile(
  path: string,
  maxBytes = Infinity,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const { isCharDevice, isBlockDevice, size } = await Deno.stat(path);
    if (isCharDevice || isBlockDevice) {
      throw new RangeError("it is a device, expected a file");
    }
    if (size > maxBytes) {
      throw new RangeError(
        `it has ${size} bytes, at most ${maxBytes} are read`,
      );
    }
    return await Deno.readFile(path);
  } catch (error) {
    throw new FileError(`Cannot read "${path}": ${reason(error)}`, {
      cause: error,
    });
  }
}

/**
 * Reads a part of a file, as much of it as the file has.
 *
 * @param path The file.
 * @param offset First byte.
 * @param length Number of bytes; by default all that follow.
 * @throws {FileError} If it is no file or cannot be read, saying why.
 */
export async function readFilePart(
  path: string,
  offset: number,
  length = Infinity,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile) throw new RangeError("it is no file");
    const bytes = new Uint8Array(Math.max(Math.min(length, size - offset), 0));
    using file = await Deno.open(path);
    await file.seek(offset, Deno.SeekMode.Start);
    let filled = 0;
    while (filled < bytes.length) {
      const count = await file.read(bytes.subarray(filled));
      if (count === null) break;
      filled += count;
    }
    return bytes.subarray(0, filled);
  } catch (error) {
    throw new FileError(`Cannot read "${path}": ${reason(error)}`, {
      cause: error,
    });
  }
}

/**
 * Reads an image file, which may have 1 GiB.
 *
 * @throws {FileError} If it cannot be read or is too large, saying why.
 */
export function readImage(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return readFile(path, MAX_IMAGE_BYTES);
}

/**
 * Where a path leads, links followed, so that two spellings of one file are the
 * same. What does not exist has its place in the folder it would be in; what may
 * not be looked at stays as it is spelt.
 */
export async function realPath(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (!isMissing) return normalize(path);
  }
  const parent = dirname(path);
  return parent === path
    ? path
    : resolve(await realPath(parent), basename(path));
}

/** What a path is, or nothing when there is nothing. */
export async function statOrNothing(
  path: string,
): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.FilesystemLoop
    ) {
      return undefined;
    }
    throw new FileError(`Cannot read "${path}": ${reason(error)}`, {
      cause: error,
    });
  }
}

/** Name of a file that is being written. */
const TEMPORARY = /^\.patchcore-[0-9a-f]{8}\.tmp$/;

/** Folders that this process has looked through for files left behind. */
const swept = new Set<string>();

/**
 * Writes a file so that it is there completely or not at all: under another
 * name first, then renamed. Missing folders are made; what processes that are
 * gone left of their writing in the same folder is removed.
 *
 * @throws {FileError} If it cannot be written, saying why.
 */
export async function writeAtomically(
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const folder = dirname(path);
  let temporary: string | undefined;
  try {
    if (folder !== ".") await Deno.mkdir(folder, { recursive: true });
    if (!swept.has(folder)) await removeStrays(folder);
    const { path: name, file } = await openTemporary(folder);
    using _file = file;
    temporary = name;
    for (let at = 0; at < bytes.length;) {
      at += await file.write(bytes.subarray(at));
    }
    await file.sync();
    await Deno.rename(temporary, path);
  } catch (error) {
    if (temporary !== undefined) await Deno.remove(temporary).catch(() => {});
    throw new FileError(`Cannot write "${path}": ${reason(error)}`, {
      cause: error,
    });
  }
}

/**
 * Removes the files that were being written in a folder when their process was
 * killed. A file whose process lives is locked by it.
 */
export async function removeStrays(folder: string): Promise<void> {
  swept.add(folder);
  const { state } = await Deno.permissions.query({
    name: "read",
    path: folder,
  });
  if (state !== "granted") return;
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (TEMPORARY.test(name)) await removeUnlessHeld(join(folder, name));
    }
  } catch {
    // Files left behind do no harm, and what is wrong with the folder is told
    // by whoever writes into it.
  }
}

async function removeUnlessHeld(path: string): Promise<void> {
  using file = await Deno.open(path, { read: true, write: true });
  if (await file.tryLock(true)) await Deno.remove(path);
}

/** A new file that no other process removes. */
async function openTemporary(
  folder: string,
): Promise<{ path: string; file: Deno.FsFile }> {
  while (true) {
    const random = crypto.randomUUID().slice(0, 8);
    const path = join(folder, `.patchcore-${random}.tmp`);
    const file = await Deno.open(path, { write: true, createNew: true });
    try {
      await file.lock(true);
      // Between its making and its locking another process may have removed it.
      if (await statOrNothing(path) !== undefined) return { path, file };
      file.close();
    } catch (error) {
      file.close();
      throw error;
    }
  }
}

/**
 * Finds out whether a file can be written, before work is done for it: makes
 * another one beside it, or where its folders are going to be, and removes it.
 *
 * @throws {FileError} If it cannot, saying why.
 */
export async function checkWritable(path: string): Promise<void> {
  let folder = dirname(path);
  const beside = await statOrNothing(folder) !== undefined;
  while (await statOrNothing(folder) === undefined) folder = dirname(folder);
  try {
    const { path: probe, file } = await openTemporary(folder);
    using _file = file;
    await Deno.remove(probe);
  } catch (error) {
    if (!beside && error instanceof Deno.errors.NotCapable) return;
    throw new FileError(`Cannot write "${path}": ${reason(error)}`, {
      cause: error,
    });
  }
}

/** Why the system refused, in words. */
export function reason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "it does not exist";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "permission denied by the system";
  }
  if (error instanceof Deno.errors.NotCapable) {
    return `${error.message.split(",")[0]}; run with -A or allow this folder`;
  }
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  return error instanceof Error ? error.message : String(error);
}
