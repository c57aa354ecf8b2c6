import type { Category, MaskSource, Sample } from "./dataset.ts";
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
  stem,
} from "./files.ts";

/** The folder name of normal images: `good` in MVTec AD, `ok` in BTAD. */
type NormalName = "good" | "ok";

/**
 * Whether a folder is a category of MVTec AD or BTAD.
 *
 * @returns The name of its folder of normal images, or `undefined`.
 */
export async function normalName(
  files: Files,
  folder: Folder,
): Promise<NormalName | undefined> {
  const train = await findFolder(files, folder, "train");
  if (train?.folders.includes("good")) return "good";
  if (train?.folders.includes("ok")) return "ok";
  return undefined;
}

/**
 * Reads a category of MVTec AD (`train/good`, `test/KIND`,
 * `ground_truth/KIND/NAME_mask.png`) or BTAD (`train/ok`, `test/ok`,
 * `test/ko`, `ground_truth/ko/NAME.png` or `.bmp`). Kinds are sorted, images
 * within a kind too.
 *
 * @param normal The name of its folder of normal images.
 * @throws {Error} If images or masks are missing, naming what was looked for.
 */
export async function readTrainTest(
  files: Files,
  root: Folder,
  normal: NormalName,
): Promise<Category> {
  const nominal = await findFolder(files, root, "train", normal);
  const train = normalSamples(nominal);
  if (train.length === 0) throw noImages(root, `train/${normal}`);
  const test: Sample[] = [];
  const kinds = await findFolder(files, root, "test");
  for (const kind of kinds?.folders ?? []) {
    const folder = await listFolder(files, join(kinds!.path, kind));
    test.push(
      ...kind === normal
        ? normalSamples(folder)
        : await defectiveSamples(files, root, folder, kind),
    );
  }
  if (test.length === 0) throw noImages(root, "test/*");
  return { name: baseName(root.path), train, test };
}

async function defectiveSamples(
  files: Files,
  root: Folder,
  folder: Folder,
  defect: string,
): Promise<Sample[]> {
  const masks = root.folders.includes("ground_truth")
    ? await findFolder(files, root, "ground_truth", defect) ??
      { path: join(root.path, "ground_truth", defect), files: [], folders: [] }
    : undefined;
  return imageNames(folder).map((name) => {
    const path = join(folder.path, name);
    const label = "anomalous";
    return masks === undefined
      ? { path, label, defect }
      : { path, label, defect, mask: findMask(masks, name, path) };
  });
}

/**
 * Finds the mask of an image: the same name with `_mask` appended, or the
 * same name, whatever the extension.
 *
 * @param image The image's path, for the error.
 * @throws {Error} If there is none.
 */
export function findMask(
  masks: Folder,
  name: string,
  image: string,
): MaskSource {
  const candidates = imageNames(masks);
  for (const wanted of [`${stem(name)}_mask`, stem(name)]) {
    const found = candidates.find((candidate) => stem(candidate) === wanted);
    if (found !== undefined) return { path: join(masks.path, found) };
  }
  throw new Error(
    `Cannot find the mask of "${image}": looked for "${
      stem(name)
    }_mask.png" and "${
      stem(name)
    }.png" (or another image type) in "${masks.path}"`,
  );
}
