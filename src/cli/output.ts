import { basename, dirname, resolve } from "node:path";
import { join } from "../core/datasets/files.ts";
import {
  checkWritable,
  FileError,
  statOrNothing,
  writeAtomically,
} from "./disk.ts";

/** What makes a folder one of ours: written first, replaced at the end. */
const RUN_FILE = "run.json";

const GENERATOR = "@patchcore/webgpu";

/** What a run of the program was, for `run.json`. */
type RunRecord = Readonly<Record<string, unknown>>;

/**
 * A folder for results. It never touches a user's files: it refuses a folder
 * that holds anything but results of an earlier run, and one that lies in an
 * input folder.
 */
export class OutputFolder {
  /** Where it is, as the user gave it. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Makes the folder, or takes one over that an earlier run made.
   *
   * @param inputs Files and folders that are read.
   * @param overwrite Whether to write into a folder with other files.
   * @throws {FileError} If the folder must not be written to.
   */
  static async open(
    path: string,
    inputs: readonly string[],
    overwrite = false,
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
    const folder = new OutputFolder(path);
    await folder.record({ finished: false });
    return folder;
  }

  /**
   * Writes a file of the folder.
   *
   * @param name Its name, with `/` for folders inside.
   * @returns Its path.
   */
  async write(name: string, content: Uint8Array | string): Promise<string> {
    const path = join(this.path, name);
    await writeAtomically(path, bytesOf(content));
    return path;
  }

  /** Writes `run.json`. */
  async record(run: RunRecord): Promise<void> {
    const text = JSON.stringify({ generator: GENERATOR, ...run }, null, 2);
    await this.write(RUN_FILE, `${text}\n`);
  }
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
 * Name for the results of an image: its path without what all paths share,
 * so that images of the same name in two folders stay apart.
 *
 * @returns For each path a relative path without its extension.
 */
export function resultNames(paths: readonly string[]): string[] {
  const split = paths.map((path) =>
    path.split(/[/\\]/).filter((part) => !["", ".", ".."].includes(part))
  );
  const folders = split.map((parts) => parts.slice(0, -1));
  const [first = []] = folders;
  let shared = first.length;
  for (const parts of folders) {
    let same = 0;
    while (same < shared && parts[same] === first[same]) same++;
    shared = same;
  }
  const stems = split.map((parts) =>
    parts.slice(shared).join("/").replace(/\.[^./]*$/, "")
  );
  const counts = new Map<string, number>();
  for (const stem of stems) counts.set(stem, (counts.get(stem) ?? 0) + 1);
  return stems.map((stem, i) =>
    counts.get(stem) === 1 ? stem : split[i]!.slice(shared).join("/")
  );
}

async function refuseInputs(
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

/** The real path of what may not exist yet. */
async function realPath(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const parent = dirname(path);
  return parent === path
    ? path
    : resolve(await realPath(parent), basename(path));
}

async function isOurs(path: string): Promise<boolean> {
  let empty = true;
  for await (const { name } of Deno.readDir(path)) {
    empty = false;
    if (name === RUN_FILE) return await isRunFile(join(path, name));
  }
  return empty;
}

async function isRunFile(path: string): Promise<boolean> {
  try {
    const run: unknown = JSON.parse(await Deno.readTextFile(path));
    return typeof run === "object" && run !== null &&
      Reflect.get(run, "generator") === GENERATOR;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function bytesOf(content: Uint8Array | string): Uint8Array {
  return typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
}
