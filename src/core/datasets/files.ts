import type { Sample } from "./dataset.ts";

/** One entry of a folder. */
export interface FileEntry {
  /** The entry's name without its folder. */
  readonly name: string;
  /** Whether it is a file; links count as what they point to. */
  readonly isFile: boolean;
  /** Whether it is a folder; links count as what they point to. */
  readonly isDirectory: boolean;
}

/** The file system as far as reading a dataset needs it. */
export interface Files {
  /**
   * Lists a folder, in any order.
   *
   * @param path The folder; it exists whenever a dataset's layout asks for it.
   */
  list(path: string): AsyncIterable<FileEntry>;
  /** Reads a whole file. */
  read(path: string): Promise<Uint8Array>;
}

/** The sorted content of a folder. */
export interface Folder {
  /** The folder's path. */
  readonly path: string;
  /** Names of its files, sorted. */
  readonly files: readonly string[];
  /** Names of its folders, sorted. */
  readonly folders: readonly string[];
}

const IMAGE = /\.(png|jpe?g|tiff?|bmp|webp|gif|avif)$/i;

/**
 * Lists a folder, sorted by character code as Python's `sorted` does. Hidden
 * entries (a leading dot) are left out.
 */
export async function listFolder(files: Files, path: string): Promise<Folder> {
  const names: string[] = [], folders: string[] = [];
  for await (const entry of files.list(path)) {
    if (entry.name.startsWith(".")) continue;
    if (entry.isDirectory) folders.push(entry.name);
    else if (entry.isFile) names.push(entry.name);
  }
  return { path, files: names.sort(), folders: folders.sort() };
}

/**
 * A name in a list, whatever its case; the same spelling goes first.
 *
 * @returns The name as the list spells it, or `undefined`.
 */
export function findName(
  names: readonly string[],
  wanted: string,
): string | undefined {
  if (names.includes(wanted)) return wanted;
  const lower = wanted.toLowerCase();
  return names.find((name) => name.toLowerCase() === lower);
}

/**
 * Lists a folder further down, if it is there.
 *
 * @param folder A folder that exists.
 * @param names The folders to go down, one after the other, whatever their
 * case.
 * @returns The last folder, or `undefined` when one of them is missing.
 */
export async function findFolder(
  files: Files,
  folder: Folder,
  ...names: string[]
): Promise<Folder | undefined> {
  let current = folder;
  for (const name of names) {
    const found = findName(current.folders, name);
    if (found === undefined) return undefined;
    current = await listFolder(files, join(current.path, found));
  }
  return current;
}

/**
 * The image files of a folder.
 *
 * @returns The names of its PNG, JPEG, TIFF, BMP, WebP, GIF and AVIF files, sorted.
 */
export function imageNames(folder: Folder): string[] {
  return folder.files.filter((name) => IMAGE.test(name));
}

/** The images of a folder, all with one label. */
export function samplesOf(
  folder: Folder,
  label: Sample["label"],
  defect?: string,
): Sample[] {
  return imageNames(folder).map((name) => ({
    path: join(folder.path, name),
    label,
    ...defect !== undefined && { defect },
  }));
}

/**
 * Joins a folder and a name with a slash.
 *
 * @param folder The folder's path; a slash at its end is fine.
 */
export function join(folder: string, ...names: string[]): string {
  return [folder.replace(/(?<=.)[/\\]+$/, ""), ...names].join("/")
    .replace(/^\/\//, "/");
}

/**
 * The last part of a path.
 *
 * @param path The path; a slash at its end is fine.
 */
export function baseName(path: string): string {
  return path.replace(/[/\\]+$/, "").split(/[/\\]/).at(-1)!;
}

/**
 * A file name without its extension.
 *
 * @returns Everything before the last dot.
 */
export function stem(name: string): string {
  return name.replace(/\.[^.]*$/, "");
}

/**
 * The error of a folder without images.
 *
 * @param where Where images were looked for, inside it.
 */
export function noImages(root: Folder, where: string): Error {
  return new Error(
    `Cannot read the dataset "${root.path}": looked for images in "${
      join(root.path, where)
    }", found none`,
  );
}
