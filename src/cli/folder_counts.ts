import { join } from "../core/datasets/files.ts";

/** Folders from an argument down to an image below it. */
export function relativeFolders(root: string, path: string): string[] {
  const folder = folderOf(root, path);
  return folder === "." ? [] : folder.split(/[/\\]/);
}

/**
 * The folder of an image, relative to an argument; `.` is the argument. Both
 * separators count on every system.
 */
export function folderOf(root: string, path: string): string {
  const prefix = join(root, "");
  const isBelow = slashed(path).startsWith(slashed(prefix));
  const [, folder] = /^(.*)[/\\]/s.exec(
    isBelow ? path.slice(prefix.length) : path,
  ) ?? [];
  if (folder === undefined) return ".";
  return folder === "" ? "/" : folder;
}

function slashed(path: string): string {
  return path.replaceAll("\\", "/");
}

/** Folders that are named in a message, at most. */
const NAMED_FOLDERS = 8;

/** How many images lie in which folders: `itself 2, good 12`. */
export function counted(root: string, paths: readonly string[]): string {
  const groups = Map.groupBy(paths, (path) => folderOf(root, path));
  const counts = [...groups].map(([folder, { length }]) =>
    `${folder === "." ? "itself" : folder} ${length}`
  );
  const rest = counts.length - NAMED_FOLDERS;
  return rest > 1
    ? `${counts.slice(0, NAMED_FOLDERS).join(", ")} and ${rest} more folders`
    : counts.join(", ");
}
