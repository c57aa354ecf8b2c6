import type { Category, DatasetOptions, Sample } from "./dataset.ts";
import {
  baseName,
  type Files,
  findFolder,
  type Folder,
  imageNames,
  join,
  listFolder,
  noImages,
  normalSamples,
} from "./files.ts";
import { splitHoldout } from "./holdout.ts";
import { findMask } from "./labelled_folders.ts";

/**
 * Reads plain folders: `normal/`, of which a seeded share is tested,
 * `abnormal/` and, if there, `masks/` with a mask for each abnormal image.
 * Folders inside `abnormal/` (and alike inside `masks/`) name kinds of defect.
 *
 * @param options Seed and share of the held-out normal images.
 * @throws {Error} If images or masks are missing, naming what was looked for.
 */
export async function readPlainFolders(
  files: Files,
  root: Folder,
  options: DatasetOptions,
): Promise<Category> {
  const nominal = await findFolder(files, root, "normal");
  const normal = normalSamples(nominal);
  if (normal.length === 0) throw noImages(root, "normal");
  const abnormal = await findFolder(files, root, "abnormal");
  const masks = await findFolder(files, root, "masks");
  const anomalous: Sample[] = [];
  if (abnormal !== undefined) {
    anomalous.push(...abnormalSamples(abnormal, masks, undefined));
    for (const kind of abnormal.folders) {
      const folder = await listFolder(files, join(abnormal.path, kind));
      const kindMasks = masks &&
        (await findFolder(files, masks, kind) ?? emptyFolder(masks, kind));
      anomalous.push(...abnormalSamples(folder, kindMasks, kind));
    }
  }
  if (anomalous.length === 0) throw noImages(root, "abnormal");
  const { train, test } = splitHoldout(normal, options);
  return {
    name: baseName(root.path),
    train,
    test: [...anomalous, ...test],
  };
}

function abnormalSamples(
  folder: Folder,
  masks: Folder | undefined,
  defect: string | undefined,
): Sample[] {
  return imageNames(folder).map((name) => {
    const path = join(folder.path, name);
    return {
      path,
      label: "anomalous",
      ...defect === undefined ? {} : { defect },
      ...masks === undefined ? {} : { mask: findMask(masks, name, path) },
    };
  });
}

function emptyFolder(parent: Folder, name: string): Folder {
  return { path: join(parent.path, name), files: [], folders: [] };
}
