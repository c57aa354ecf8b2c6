import type {
  Category,
  DatasetOptions,
  FolderNames,
  Sample,
} from "./dataset.ts";
import {
  baseName,
  type Files,
  findFolder,
  type Folder,
  join,
  listFolder,
  noImages,
  samplesOf,
} from "./files.ts";
import { foldersOf } from "./folder_roles.ts";
import { splitHoldout } from "./holdout.ts";
import { findMask, maskFolder } from "./masks.ts";

/** Whether a folder has folders of normal and of abnormal images, by name. */
export function isPlainFolders(root: Folder): boolean {
  return foldersOf(root.folders, "normal").length > 0 &&
    foldersOf(root.folders, "abnormal").length > 0;
}

/**
 * Reads plain folders: `normal/` (or OK, good…), of which a seeded share is
 * tested, `abnormal/` (or NG, bad, defect…) and, if there, `masks/` (or
 * ground_truth) with a mask for each abnormal image. Folders inside
 * `abnormal/` (and alike inside `masks/`) name kinds of defect.
 *
 * @param options Seed and share of the held-out normal images, and the names
 *   of the folders where they are not to be told by their names.
 * @throws {Error} If images or masks are missing, naming what was looked for.
 */
export async function readPlainFolders(
  files: Files,
  root: Folder,
  options: DatasetOptions,
): Promise<Category> {
  const { purpose = "evaluate", folders } = options;
  const { normal, abnormal, masks } = folders === undefined
    ? await byRole(files, root)
    : await byName(files, root, folders);
  const nominal = normal.flatMap((folder) => samplesOf(folder, "normal"));
  if (nominal.length === 0 && purpose !== "predict") {
    const [name = "normal"] = foldersOf(root.folders, "normal");
    throw noImages(root, folders?.normal ?? name);
  }
  const kinds: Sample[][] = [];
  for (const folder of abnormal) {
    const own = abnormal.length > 1 ? baseName(folder.path) : undefined;
    kinds.push(samplesOf(folder, "anomalous", own));
    for (const kind of folder.folders) {
      const inside = await listFolder(files, join(folder.path, kind));
      kinds.push(samplesOf(inside, "anomalous", kind));
    }
  }
  const anomalous = kinds.flat();
  if (anomalous.length === 0 && purpose === "evaluate") {
    throw noImages(
      root,
      folders?.abnormal?.[0] ?? foldersOf(root.folders, "abnormal")[0] ??
        "abnormal",
    );
  }
  const isDivided = purpose !== "fit" || anomalous.length > 0;
  const { train, test } = isDivided
    ? splitHoldout(nominal, options)
    : { train: nominal, test: [] };
  const pairs = purpose === "evaluate" && masks !== undefined
    ? await withMasks(files, anomalous, masks, abnormal.length > 1)
    : anomalous;
  return {
    name: baseName(root.path),
    train,
    test: [...pairs, ...test],
    ...isDivided && { isDivided },
  };
}

/** Folders of each kind of image. */
interface Kinds {
  readonly normal: readonly Folder[];
  readonly abnormal: readonly Folder[];
  readonly masks: Folder | undefined;
}

async function byRole(files: Files, root: Folder): Promise<Kinds> {
  const list = (names: readonly string[]): Promise<Folder[]> =>
    Promise.all(names.map((name) => listFolder(files, join(root.path, name))));
  return {
    normal: await list(foldersOf(root.folders, "normal")),
    abnormal: await list(foldersOf(root.folders, "abnormal")),
    masks: await maskFolder(files, root),
  };
}

async function byName(
  files: Files,
  root: Folder,
  { normal, abnormal, masks }: FolderNames,
): Promise<Kinds> {
  const find = async (name: string): Promise<Folder> => {
    const parts = name.split(/[/\\]/).filter((part) => !/^\.?$/.test(part));
    const folder = await findFolder(files, root, ...parts);
    if (folder !== undefined) return folder;
    throw new Error(
      `Cannot read the dataset "${root.path}": looked for the folder "${
        join(root.path, name)
      }", found none`,
    );
  };
  const roles = await byRole(files, root);
  return {
    normal: [await find(normal)],
    abnormal: abnormal === undefined
      ? roles.abnormal
      : await Promise.all(abnormal.map(find)),
    masks: masks === undefined ? roles.masks : await find(masks),
  };
}

async function withMasks(
  files: Files,
  samples: readonly Sample[],
  masks: Folder,
  several: boolean,
): Promise<Sample[]> {
  const kinds = new Map<string | undefined, Folder>([[undefined, masks]]);
  const found: Sample[] = [];
  for (const sample of samples) {
    const { defect, path } = sample;
    let folder = kinds.get(defect);
    if (folder === undefined) {
      folder = await findFolder(files, masks, defect!) ??
        (several
          ? masks
          : { path: join(masks.path, defect!), files: [], folders: [] });
      kinds.set(defect, folder);
    }
    found.push({ ...sample, mask: findMask(folder, path) });
  }
  return found;
}
