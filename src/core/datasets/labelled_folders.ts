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
  samplesOf,
} from "./files.ts";
import { folderRole, foldersOf } from "./folder_roles.ts";
import { findMask, findMasks, maskFolder } from "./masks.ts";

/** A category whose images lie in `train` and `test`. */
export interface TrainTestFolders {
  /** The category's folder. */
  readonly root: Folder;
  /** Folders of nominal images in `train`; empty: they lie in `train` itself. */
  readonly normal: readonly string[];
  /** The published dataset that is laid out so. */
  readonly layout: "mvtec" | "loco" | "btad";
}

/**
 * Recognises a category of MVTec AD, MVTec LOCO AD or BTAD, whatever the case
 * of its folders and whether nominal images are called good, ok or normal.
 *
 * @returns `undefined` where a folder is none.
 */
export async function trainTestFolders(
  files: Files,
  root: Folder,
): Promise<TrainTestFolders | undefined> {
  const train = await partOf(files, root, "train");
  if (train === undefined) return undefined;
  const normal = foldersOf(train.folders, "normal");
  const test = await partOf(files, root, "test");
  if (normal.length === 0) {
    const whole = test !== undefined && imageNames(train).length > 0 &&
      train.folders.length === 0 && test.folders.length > 0;
    return whole ? { root, normal, layout: "mvtec" } : undefined;
  }
  const isLoco = test?.folders.some((name) => /_anomalies$/i.test(name));
  const isBtad = normal[0]!.toLowerCase() === "ok";
  const layout = isLoco ? "loco" : isBtad ? "btad" : "mvtec";
  return { root, normal, layout };
}

/**
 * Reads a category of MVTec AD (`train/good`, `test/KIND`,
 * `ground_truth/KIND/NAME_mask.png`), MVTec LOCO AD (several masks an image,
 * `ground_truth/KIND/NAME/*.png`) or BTAD (`train/ok`, `test/ok`, `test/ko`,
 * `ground_truth/ko/NAME.png` or `.bmp`). Kinds are sorted, images within a
 * kind too.
 *
 * @throws {Error} If images or masks are missing, naming what was looked for.
 */
export async function readTrainTest(
  files: Files,
  { root, normal, layout }: TrainTestFolders,
  { purpose = "evaluate" }: DatasetOptions,
): Promise<Category> {
  const nominal = await partOf(files, root, "train");
  const folders = normal.length === 0 ? [nominal!] : await Promise.all(
    normal.map((name) => listFolder(files, join(nominal!.path, name))),
  );
  const train = folders.flatMap((folder) => samplesOf(folder, "normal"));
  if (train.length === 0 && purpose !== "predict") {
    throw noImages(root, `train/${normal[0] ?? ""}`);
  }
  const tested: Sample[][] = [];
  const kinds = await partOf(files, root, "test");
  const masks = purpose === "evaluate"
    ? await maskFolder(files, root)
    : undefined;
  for (const kind of kinds?.folders ?? []) {
    const folder = await listFolder(files, join(kinds!.path, kind));
    if (folderRole(kind) === "normal") {
      tested.push(samplesOf(folder, "normal"));
      continue;
    }
    const samples = samplesOf(folder, "anomalous", kind);
    tested.push(
      masks === undefined
        ? samples
        : await withMasks(files, samples, { masks, layout }),
    );
  }
  const test = tested.flat();
  if (test.length === 0 && purpose !== "fit") throw noImages(root, "test/*");
  return { name: baseName(root.path), train, test };
}

/** The folder of a part; without one to test, the one to validate. */
async function partOf(
  files: Files,
  root: Folder,
  part: "train" | "test",
): Promise<Folder | undefined> {
  const names = foldersOf(root.folders, part);
  if (part === "test") names.push(...foldersOf(root.folders, "validation"));
  const [name] = names;
  return name === undefined
    ? undefined
    : await listFolder(files, join(root.path, name));
}

async function withMasks(
  files: Files,
  samples: readonly Sample[],
  { masks, layout }: {
    readonly masks: Folder;
    readonly layout: TrainTestFolders["layout"];
  },
): Promise<Sample[]> {
  const [first] = samples;
  if (first === undefined) return [];
  const kind = first.defect!;
  const folder = await findFolder(files, masks, kind) ??
    { path: join(masks.path, kind), files: [], folders: [] };
  const found: Sample[] = [];
  for (const sample of samples) {
    const mask = layout === "loco"
      ? await findMasks(files, folder, sample.path)
      : findMask(folder, sample.path);
    found.push({ ...sample, mask });
  }
  return found;
}
