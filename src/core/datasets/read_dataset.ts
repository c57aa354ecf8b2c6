import type { Category, DatasetOptions, LayoutName } from "./dataset.ts";
import {
  type Files,
  findFolder,
  type Folder,
  join,
  listFolder,
} from "./files.ts";
import { readMagneticTiles } from "./magnetic_tiles.ts";
import { readPlainFolders } from "./plain_folders.ts";
import { readShanghaiTech } from "./shanghai_tech.ts";
import { normalName, readTrainTest } from "./labelled_folders.ts";
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
  return await wholeLayout(files, folder) ??
    (await categoryFolders(files, folder))[0]?.layout;
}

/**
 * Reads a dataset as it was published, without conversion: MVTec AD (one
 * category or all), BTAD, VisA, Magnetic Tile Defects, ShanghaiTech Campus,
 * or plain folders `normal`, `abnormal` and `masks`.
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
  switch (await wholeLayout(files, folder)) {
    case "visa":
      return await readVisa(files, folder);
    case "mtd":
      return [await readMagneticTiles(files, folder, options)];
    case "mstc":
      return [await readShanghaiTech(files, folder, options)];
    case "folders":
      return [await readPlainFolders(files, folder, options)];
  }
  const found = await categoryFolders(files, folder);
  if (found.length === 0) throw unknownLayout(folder);
  return await Promise.all(
    found.map(({ folder, normal }) => readTrainTest(files, folder, normal)),
  );
}

/** The layout of a folder that is a dataset as a whole. */
async function wholeLayout(
  files: Files,
  root: Folder,
): Promise<LayoutName | undefined> {
  const has = (...names: string[]): boolean =>
    names.every((name) => root.folders.includes(name));
  const split = await findFolder(files, root, "split_csv");
  if (split?.files.includes("1cls.csv")) return "visa";
  if (has("MT_Free")) return "mtd";
  if (has("training", "testing")) return "mstc";
  if (has("normal", "abnormal")) return "folders";
  return undefined;
}

interface CategoryFolder {
  readonly folder: Folder;
  readonly normal: "good" | "ok";
  readonly layout: LayoutName;
}

/** The folder itself if it is a category, else those inside that are one. */
async function categoryFolders(
  files: Files,
  root: Folder,
): Promise<CategoryFolder[]> {
  const own = await toCategory(files, root);
  if (own !== undefined) return [own];
  const found: CategoryFolder[] = [];
  for (const name of root.folders) {
    const folder = await listFolder(files, join(root.path, name));
    const category = await toCategory(files, folder);
    if (category !== undefined) found.push(category);
  }
  return found;
}

async function toCategory(
  files: Files,
  folder: Folder,
): Promise<CategoryFolder | undefined> {
  const normal = await normalName(files, folder);
  if (normal === undefined) return undefined;
  return { folder, normal, layout: normal === "good" ? "mvtec" : "btad" };
}

function unknownLayout(root: Folder): Error {
  const found = root.folders.length === 0
    ? "no folders"
    : `folders ${root.folders.map((name) => `"${name}"`).join(", ")}`;
  return new Error(
    `Cannot find a dataset in "${root.path}": looked for "train/good" (MVTec AD) or "train/ok" (BTAD) here or in its folders, "split_csv/1cls.csv" (VisA), "MT_Free" (Magnetic Tile Defects), "training" and "testing" (ShanghaiTech Campus), or "normal" and "abnormal"; found ${found}`,
  );
}
