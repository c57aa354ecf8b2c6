import type { Category, DatasetOptions, LayoutName } from "./dataset.ts";
import {
  baseName,
  type Files,
  findFolder,
  findName,
  type Folder,
  imageNames,
  join,
  listFolder,
} from "./files.ts";
import {
  isKolektor,
  isKolektor2,
  readKolektor,
  readKolektor2,
} from "./kolektor.ts";
import {
  readTrainTest,
  type TrainTestFolders,
  trainTestFolders,
} from "./labelled_folders.ts";
import { readMagneticTiles } from "./magnetic_tiles.ts";
import { isPlainFolders, readPlainFolders } from "./plain_folders.ts";
import { readShanghaiTech } from "./shanghai_tech.ts";
import { readVisa } from "./visa.ts";

/**
 * Recognises how a dataset is laid out.
 *
 * @param root The dataset's folder, or one category of it.
 * @returns The layout, or `undefined` when the folder is no dataset.
 */
export async function detectLayout(
  files: Files,
  root: string,
): Promise<LayoutName | undefined> {
  const folder = await listFolder(files, root);
  return await ownLayout(files, folder) ??
    (await categoryFolders(files, folder))[0]?.layout;
}

/**
 * How a folder is laid out that is one category, or a dataset that cannot be
 * taken apart into folders.
 *
 * @returns `undefined` also where only folders inside are categories.
 */
export async function ownLayout(
  files: Files,
  root: Folder,
): Promise<LayoutName | undefined> {
  return await wholeLayout(files, root) ??
    (await trainTestFolders(files, root))?.layout ??
    (isPlainFolders(root) ? "folders" : undefined);
}

/**
 * Reads a dataset as it was published, without conversion: MVTec AD (one
 * category or all), MVTec LOCO AD, BTAD, VisA, Magnetic Tile Defects,
 * KolektorSDD, KolektorSDD2, ShanghaiTech Campus, or plain folders of normal
 * and abnormal images and masks. Names of folders count whatever their case.
 *
 * @param root The dataset's folder, or one category of it.
 * @returns The categories, sorted by name.
 * @throws {Error} If the layout is unknown or something of it is missing,
 *   naming what was looked for.
 */
export async function readDataset(
  files: Files,
  root: string,
  options: DatasetOptions = {},
): Promise<Category[]> {
  const folder = await listFolder(files, root);
  if (options.folders !== undefined) {
    return await each(
      [folder],
      options,
      (folder) => readPlainFolders(files, folder, options),
    );
  }
  switch (await wholeLayout(files, folder)) {
    case "visa":
      return await readVisa(files, folder);
    case "mtd":
      return [await readMagneticTiles(files, folder, options)];
    case "mstc":
      return [await readShanghaiTech(files, folder, options)];
    case "kolektor":
      return [await readKolektor(files, folder, options)];
    case "kolektor2":
      return [await readKolektor2(files, folder, options)];
  }
  const own = await trainTestFolders(files, folder);
  if (own === undefined && isPlainFolders(folder)) {
    return [await readPlainFolders(files, folder, options)];
  }
  const found = await categoryFolders(files, folder);
  if (found.length === 0) throw unknownLayout(folder);
  return await each(
    found,
    options,
    (category) => readTrainTest(files, category, options),
  );
}

/** Reads categories; one that cannot be read costs the others nothing. */
async function each<F extends Folder | TrainTestFolders>(
  folders: readonly F[],
  { onCategoryError }: DatasetOptions,
  read: (folder: F) => Promise<Category>,
): Promise<Category[]> {
  const categories: Category[] = [];
  for (const folder of folders) {
    try {
      categories.push(await read(folder));
    } catch (error) {
      if (onCategoryError === undefined || !(error instanceof Error)) {
        throw error;
      }
      const { path } = "root" in folder ? folder.root : folder;
      onCategoryError(baseName(path), error);
    }
  }
  return categories;
}

/** The layout of a folder that is a dataset as a whole. */
async function wholeLayout(
  files: Files,
  root: Folder,
): Promise<LayoutName | undefined> {
  const has = (...names: string[]): boolean =>
    names.every((name) => findName(root.folders, name) !== undefined);
  const split = await findFolder(files, root, "split_csv");
  if (split?.files.includes("1cls.csv")) return "visa";
  if (has("MT_Free")) return "mtd";
  if (has("training", "testing")) return "mstc";
  if (await isKolektor2(files, root)) return "kolektor2";
  if (await isKolektor(files, root)) return "kolektor";
  return undefined;
}

/** The folder itself if it is a category, else those inside that are one. */
async function categoryFolders(
  files: Files,
  root: Folder,
): Promise<TrainTestFolders[]> {
  const own = await trainTestFolders(files, root);
  if (own !== undefined) return [own];
  const found: TrainTestFolders[] = [];
  for (const name of root.folders) {
    const folder = await listFolder(files, join(root.path, name));
    const category = await trainTestFolders(files, folder);
    if (category !== undefined) found.push(category);
  }
  return found;
}

function unknownLayout(root: Folder): Error {
  const found = root.folders.length === 0
    ? "no folders"
    : `folders ${root.folders.map((name) => `"${name}"`).join(", ")}`;
  const images = imageNames(root).length;
  return new Error(
    `Cannot find a dataset in "${root.path}": looked for "train/good" (MVTec AD) or "train/ok" (BTAD) here or in its folders, "split_csv/1cls.csv" (VisA), "MT_Free" (Magnetic Tile Defects), "training" and "testing" (ShanghaiTech Campus), images with "NAME_label.bmp" or "NAME_GT.png" beside them (KolektorSDD), or "normal" and "abnormal"; found ${found}${
      images > 0 ? ` and ${images} images` : ""
    }; name the folders of normal and of abnormal images, or list the images in a CSV file`,
  );
}
