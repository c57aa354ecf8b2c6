import { dirname } from "node:path";
import { join } from "../core/datasets/files.ts";
import {
  checkWritable,
  FileError,
  readFile,
  realPath,
  reason,
  removeStrays,
  statOrNothing,
  writeAtomically,
} from "./disk.ts";
import type { Terminal } from "./terminal.ts";

/** What makes a folder one of ours: written first, replaced at the end. */
const RUN_FILE = "run.json";

/** Held by the run that writes into the folder. */
const LOCK_FILE = ".lock";

/** The files of the run, a line each: what the next run removes. */
const FILES_FILE = ".files";

const HOUSEKEEPING: readonly string[] = [RUN_FILE, LOCK_FILE, FILES_FILE];

const GENERATOR = "@patchcore/webgpu";

/** What a run of the program was, for `run.json`. */
type RunRecord = Readonly<Record<string, unknown>>;

interface OutputFolderOptions {
  /** Files and folders that are read. */
  readonly inputs?: readonly string[];
  /** Whether to write into a folder with other files. */
  readonly overwrite?: boolean;
  /** Whether the files of the run before are kept. */
  readonly resume?: boolean;
}

/** A file of the folder. */
interface OwnFile {
  /** Its name in the folder. */
  readonly file: string;
  /** The image it was made for, if one. */
  readonly image?: string;
}

/**
 * A folder for results. It never touches a user's files: it refuses a folder
 * that holds anything but results of an earlier run, and one that lies in an
 * input folder. One run at a time writes into it; the files of the run before
 * are removed.
 */
export class OutputFolder implements Disposable {
  /** Where it is, as the user gave it. */
  readonly path: string;
  /** `run.json` of the run before, where that is resumed. */
  readonly earlier: RunRecord | undefined;
  /** How many files of the run before were removed. */
  readonly replaced: number;
  readonly #lock: Deno.FsFile;
  readonly #files: Deno.FsFile;
  readonly #own: Map<string, OwnFile>;

  private constructor(
    path: string,
    lock: Deno.FsFile,
    { files, own, earlier, replaced }: {
      readonly files: Deno.FsFile;
      readonly own: readonly OwnFile[];
      readonly earlier: RunRecord | undefined;
      readonly replaced: number;
    },
  ) {
    this.path = path;
    this.earlier = earlier;
    this.replaced = replaced;
    this.#lock = lock;
    this.#files = files;
    this.#own = new Map(own.map((entry) => [entry.file, entry]));
  }

  /**
   * Makes the folder, or takes one over that an earlier run made.
   *
   * @throws {FileError} If the folder must not be written to, or another run
   * writes into it.
   */
  static async open(
    path: string,
    { inputs = [], overwrite = false, resume = false }: OutputFolderOptions =
      {},
  ): Promise<OutputFolder> {
    const info = await statOrNothing(path);
    if (info !== undefined && !info.isDirectory) {
      throw new FileError(`Cannot write to "${path}": it is a file`);
    }
    await refuseInputs(path, inputs);
    if (info !== undefined && !overwrite && !await isOurs(path)) {
      throw new FileError(
        `Refused to write to "${path}": it holds other files; name a new folder or add --overwrite`,
      );
    }
    const lock = await lockFolder(path);
    try {
      const own = await ownFiles(path);
      for (const folder of foldersOf(own)) {
        await removeStrays(join(path, folder));
      }
      const earlier = resume ? await readRun(path) : undefined;
      // Before anything goes: a folder whose files are not all there says so.
      if (earlier === undefined) await writeRun(path, { finished: false });
      const replaced = earlier === undefined ? await removeFiles(path, own) : 0;
      const files = await Deno.open(join(path, FILES_FILE), {
        ...{ create: true, append: true },
      });
      if (earlier === undefined) await files.truncate();
      const kept = earlier === undefined ? [] : own;
      return new OutputFolder(path, lock, {
        ...{ files, own: kept, earlier, replaced },
      });
    } catch (error) {
      lock.close();
      throw error;
    }
  }

  /**
   * The files that a resumed run has made for images, by their names in the
   * folder.
   */
  earlierFiles(): Map<string, string[]> {
    const files = new Map<string, string[]>();
    for (const { file, image } of this.#own.values()) {
      if (image === undefined) continue;
      const known = files.get(image);
      if (known === undefined) files.set(image, [file]);
      else known.push(file);
    }
    return files;
  }

  /**
   * Writes a file of the folder.
   *
   * @param name Its name, with `/` for folders inside.
   * @param image The image it is made for, if one.
   * @returns Its path.
   */
  async write(
    name: string,
    content: Uint8Array | string,
    image?: string,
  ): Promise<string> {
    const path = join(this.path, name);
    this.#note({ file: name, ...image !== undefined && { image } });
    await writeAtomically(path, bytesOf(content));
    return path;
  }

  /**
   * Opens a file of the folder for lines that are written one after the other
   * and stay when the run ends early.
   *
   * @param name Its name.
   * @param lines What it begins with.
   */
  async writeLines(name: string, lines: readonly string[]): Promise<LineFile> {
    const path = await this.write(name, lines.join(""));
    return new LineFile(path);
  }

  /** Writes `run.json`. */
  async record(run: RunRecord): Promise<void> {
    await writeRun(this.path, run);
  }

  /** Lets other runs write into the folder. */
  [Symbol.dispose](): void {
    this.#files.close();
    unlockFolder(this.path, this.#lock);
  }

  #note(entry: OwnFile): void {
    if (this.#own.has(entry.file)) return;
    this.#own.set(entry.file, entry);
    writeWhole(this.#files, `${JSON.stringify(entry)}\n`);
  }
}

/** Tells that the results of the run before are gone. */
export function noteReplaced(
  { path, replaced }: OutputFolder,
  terminal: Terminal,
): void {
  if (replaced === 0) return;
  terminal.message(
    `"${path}" held the results of an earlier run: its ${replaced} ${
      replaced === 1 ? "file was" : "files were"
    } removed`,
  );
}

/** A file that lines are added to. */
export class LineFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #path: string;

  /** Opens a file that exists. */
  constructor(path: string) {
    this.#path = path;
    this.#file = Deno.openSync(path, { append: true });
  }

  /**
   * Adds text, line end included.
   *
   * @throws {FileError} If it cannot be written, saying why.
   */
  add(line: string): void {
    try {
      writeWhole(this.#file, line);
    } catch (cause) {
      throw new FileError(`Cannot write "${this.#path}": ${reason(cause)}`, {
        cause,
      });
    }
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}

function writeWhole(file: Deno.FsFile, text: string): void {
  const bytes = bytesOf(text);
  for (let at = 0; at < bytes.length;) {
    at += file.writeSync(bytes.subarray(at));
  }
}

/**
 * Makes a folder this run's own until it ends, however it ends.
 *
 * @returns What {@linkcode unlockFolder} takes.
 * @throws {FileError} If another run has it, or it cannot be made.
 */
export async function lockFolder(path: string): Promise<Deno.FsFile> {
  const name = join(path, LOCK_FILE);
  while (true) {
    let lock: Deno.FsFile;
    try {
      await Deno.mkdir(path, { recursive: true });
      lock = await Deno.open(name, { create: true, read: true, write: true });
    } catch (cause) {
      throw new FileError(`Cannot write to "${path}": ${reason(cause)}`, {
        cause,
      });
    }
    if (!await lock.tryLock(true)) {
      lock.close();
      throw new FileError(
        `Cannot write to "${path}": another run is writing there; wait for it, or name another folder`,
      );
    }
    // The run before may have removed it after this one had opened it.
    const [mine, there] = [await lock.stat(), await statOrNothing(name)];
    if (there !== undefined && mine.ino === there.ino) return lock;
    lock.close();
  }
}

/** Lets other runs write into a folder. */
export function unlockFolder(path: string, lock: Deno.FsFile): void {
  try {
    Deno.removeSync(join(path, LOCK_FILE));
  } catch {
    // It holds nobody up once it is closed.
  }
  lock.close();
}

/** What is known of the files that the run before has written. */
async function ownFiles(path: string): Promise<OwnFile[]> {
  const list = join(path, FILES_FILE);
  if (await statOrNothing(list) === undefined) return await knownFiles(path);
  const text = new TextDecoder().decode(await readFile(list));
  return text.split("\n").flatMap((line) => {
    try {
      const { file, image } = JSON.parse(line) as Record<string, unknown>;
      const isInside = typeof file === "string" && file !== "" &&
        !file.split(/[/\\]/).includes("..") && !/^([/\\]|.:)/.test(file);
      if (!isInside) return [];
      return [{ file, ...typeof image === "string" && { image } }];
    } catch {
      // The line that was being written when a run was killed.
      return [];
    }
  });
}

/** Results of an earlier version, which kept no list, and of nothing else. */
async function knownFiles(path: string): Promise<OwnFile[]> {
  const known = /^(maps|overlays|masks|predictions\.(jsonl|csv)|report\.html)$/;
  const names = (await Array.fromAsync(Deno.readDir(path)))
    .filter(({ name }) => !HOUSEKEEPING.includes(name));
  if (!names.every(({ name }) => known.test(name))) return [];
  const files: OwnFile[] = [];
  const visit = async (folder: string): Promise<void> => {
    for await (const entry of Deno.readDir(join(path, folder))) {
      const file = folder === "." ? entry.name : join(folder, entry.name);
      if (entry.isDirectory) await visit(file);
      else if (!HOUSEKEEPING.includes(file)) files.push({ file });
    }
  };
  await visit(".");
  return files;
}

/** The folders that files lie in, the deepest first. */
function foldersOf(files: readonly OwnFile[]): string[] {
  const folders = new Set<string>();
  for (const { file } of files) {
    for (let folder = dirname(file); folder !== "."; folder = dirname(folder)) {
      folders.add(folder);
    }
  }
  return [...folders].sort((a, b) => b.length - a.length);
}

/**
 * Removes files, then the folders that are empty without them.
 *
 * @returns How many there were.
 */
async function removeFiles(
  root: string,
  files: readonly OwnFile[],
): Promise<number> {
  let removed = 0;
  for (const { file } of files) {
    const path = join(root, file);
    try {
      await Deno.remove(path);
      removed++;
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) continue;
      if (cause instanceof Deno.errors.NotADirectory) continue;
      throw new FileError(`Cannot remove "${path}": ${reason(cause)}`, {
        cause,
      });
    }
  }
  for (const folder of foldersOf(files)) {
    try {
      await Deno.remove(join(root, folder));
    } catch {
      // It is gone, or holds files that are not ours.
    }
  }
  return removed;
}

/**
 * Writes a file that the user named.
 *
 * @param overwrite Whether it may replace a file.
 * @throws {FileError} If it exists and must not be replaced, or cannot be
 * written.
 */
export async function writeOutput(
  path: string,
  content: Uint8Array | string,
  overwrite: boolean,
): Promise<void> {
  await refuseExisting(path, overwrite);
  await writeAtomically(path, bytesOf(content));
}

/**
 * Refuses a file that exists or cannot be written. Commands ask before they start working, so that
 * nobody waits for a result that cannot be stored.
 *
 * @throws {FileError} If it exists and `overwrite` is false, or its folder takes
 * no files.
 */
export async function refuseExisting(
  path: string,
  overwrite: boolean,
): Promise<void> {
  const info = await statOrNothing(path);
  if (info?.isDirectory) {
    throw new FileError(`Cannot write "${path}": it is a folder`);
  }
  if (info !== undefined && !overwrite) {
    throw new FileError(
      `Refused to replace "${path}": it exists; name another file or add --overwrite`,
    );
  }
  await checkWritable(path);
}

/**
 * Refuses a folder for results that lies in one that is read.
 *
 * @throws {FileError} Naming both.
 */
export async function refuseInputs(
  path: string,
  inputs: readonly string[],
): Promise<void> {
  const output = await realPath(path);
  for (const input of inputs) {
    const info = await statOrNothing(input);
    if (!info?.isDirectory) continue;
    const folder = await realPath(input);
    if (output === folder || output.startsWith(join(folder, ""))) {
      throw new FileError(
        `Refused to write to "${path}": it lies in the input folder "${input}"; name a folder outside`,
      );
    }
  }
}

async function isOurs(path: string): Promise<boolean> {
  let empty = true;
  for await (const { name } of Deno.readDir(path)) {
    if (name === RUN_FILE) return await readRun(path) !== undefined;
    if (!HOUSEKEEPING.includes(name)) empty = false;
  }
  return empty;
}

async function writeRun(path: string, run: RunRecord): Promise<void> {
  const text = JSON.stringify({ generator: GENERATOR, ...run }, null, 2);
  await writeAtomically(join(path, RUN_FILE), bytesOf(`${text}\n`));
}

/** `run.json` of a folder, if it is one of ours. */
async function readRun(path: string): Promise<RunRecord | undefined> {
  const file = join(path, RUN_FILE);
  if (await statOrNothing(file) === undefined) return undefined;
  try {
    const text = new TextDecoder().decode(await readFile(file));
    const run: unknown = JSON.parse(text);
    const isRecord = typeof run === "object" && run !== null;
    return isRecord && Reflect.get(run, "generator") === GENERATOR
      ? run as RunRecord
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function bytesOf(content: Uint8Array | string): Uint8Array {
  return typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
}
