import { join, relative } from "node:path";
import { imageNames } from "../../core/datasets/files.ts";
import { reason } from "../disk.ts";

/** A file as it is at one time. */
export interface FileVersion {
  /** Its path. */
  readonly path: string;
  /** Its bytes. */
  readonly size: number;
  /** When it was last changed, milliseconds since 1970. */
  readonly modified: number;
  /** Tells it from what replaces it. */
  readonly stamp: string;
}

interface Seen {
  readonly version: FileVersion;
  /** When it was first seen like this. */
  readonly since: number;
  /** Whether it was told of. */
  taken: boolean;
}

/** How a folder is looked at. */
interface ArrivalsOptions {
  /** Milliseconds in which a file that is complete does not change. */
  readonly settle: number;
  /** Whether a version is done, as the audit says. */
  readonly isDone: (version: FileVersion) => boolean;
  /** Called with what cannot be looked at. */
  readonly onTrouble: (sentence: string) => void;
  /** Milliseconds since some moment. */
  readonly clock?: () => number;
}

/** Paths that are looked at in one go. */
const AT_ONCE = 64;

/**
 * Finds the images of a folder that are complete: those that have not changed
 * from one look to another, or were renamed into their place.
 */
export class Arrivals {
  readonly #root: string;
  readonly #options: ArrivalsOptions;
  readonly #seen = new Map<string, Seen>();
  readonly #renamed = new Set<string>();
  readonly #troubles = new Map<string, string>();

  /**
   * @param root The folder; files in folders below count as well.
   * @param options How it is looked at.
   */
  constructor(root: string, options: ArrivalsOptions) {
    this.#root = root;
    this.#options = options;
  }

  /** A file was renamed: what has this name now is complete. */
  renamed(path: string): void {
    this.#renamed.add(path);
  }

  /** A file was not what it was told to be: looks at it again. */
  again(path: string): void {
    this.#seen.delete(path);
  }

  /** Looks at everything, and tells of what has become complete. */
  async look(): Promise<FileVersion[]> {
    const paths: string[] = [];
    const isWhole = await this.#list(this.#root, paths);
    const found = await this.lookAt(paths);
    if (isWhole) {
      const there = new Set(paths);
      for (const path of this.#seen.keys()) {
        if (!there.has(path)) this.#seen.delete(path);
      }
    }
    return found;
  }

  /** Looks at some files alone. */
  async lookAt(paths: readonly string[]): Promise<FileVersion[]> {
    const found: FileVersion[] = [];
    for (let start = 0; start < paths.length; start += AT_ONCE) {
      const some = paths.slice(start, start + AT_ONCE);
      const versions = await Promise.all(some.map((path) => this.#stat(path)));
      versions.forEach((version, i) => {
        if (version === undefined) this.#seen.delete(some[i]!);
        else if (this.#isNew(version)) found.push(version);
      });
    }
    this.#renamed.clear();
    return found.sort((a, b) =>
      a.modified - b.modified || (a.path < b.path ? -1 : 1)
    );
  }

  #isNew(version: FileVersion): boolean {
    const { settle, isDone } = this.#options;
    const now = (this.#options.clock ?? performance.now.bind(performance))();
    const { path } = version;
    let seen = this.#seen.get(path);
    if (seen?.version.stamp !== version.stamp) {
      seen = { version, since: now, taken: isDone(version) };
      this.#seen.set(path, seen);
    }
    if (seen.taken) return false;
    const isComplete = now - seen.since >= settle || this.#renamed.has(path);
    seen.taken = isComplete;
    return isComplete;
  }

  /** Lists images; tells whether all folders could be read. */
  async #list(folder: string, into: string[]): Promise<boolean> {
    const files: string[] = [];
    const folders: string[] = [];
    try {
      for await (const entry of Deno.readDir(folder)) {
        const { name } = entry;
        // Programs that copy write under such names first.
        if (name.startsWith(".")) continue;
        if (entry.isDirectory) folders.push(name);
        else files.push(name);
      }
      this.#troubles.delete(folder);
    } catch (error) {
      this.#tell(folder, `Cannot look into "${folder}": ${reason(error)}`);
      return false;
    }
    for (const name of imageNames({ path: folder, files, folders: [] })) {
      into.push(join(folder, name));
    }
    let isWhole = true;
    for (const name of folders) {
      if (!await this.#list(join(folder, name), into)) isWhole = false;
    }
    return isWhole;
  }

  async #stat(path: string): Promise<FileVersion | undefined> {
    try {
      const version = await fileVersion(path);
      this.#troubles.delete(path);
      return version;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        this.#tell(path, `Cannot look at "${path}": ${reason(error)}`);
      }
      return undefined;
    }
  }

  /** Tells of a trouble once, as long as it lasts. */
  #tell(path: string, sentence: string): void {
    if (this.#troubles.get(path) === sentence) return;
    this.#troubles.set(path, sentence);
    this.#options.onTrouble(sentence);
  }
}

/**
 * Whether a path below a folder is one of an image, and not of one that is being
 * written under a hidden name.
 */
export function isImagePath(root: string, path: string): boolean {
  const parts = relative(root, path).split(/[/\\]/);
  return !parts.some((part) => part.startsWith(".")) &&
    imageNames({ path: root, files: parts.slice(-1), folders: [] }).length > 0;
}

/** A file as it is now; nothing where the path is no file. */
export async function fileVersion(
  path: string,
): Promise<FileVersion | undefined> {
  const { isFile, size, mtime, ino } = await Deno.stat(path);
  if (!isFile) return undefined;
  const modified = mtime?.getTime() ?? 0;
  return { path, size, modified, stamp: `${ino} ${size} ${modified}` };
}
