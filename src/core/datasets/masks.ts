import type { MaskSource } from "./dataset.ts";
import {
  baseName,
  type Files,
  findFolder,
  type Folder,
  imageNames,
  join,
  listFolder,
  stem,
} from "./files.ts";
import { foldersOf } from "./folder_roles.ts";

/** The folder of a dataset whose name says that it holds masks. */
export async function maskFolder(
  files: Files,
  root: Folder,
): Promise<Folder | undefined> {
  const [name] = foldersOf(root.folders, "masks");
  return name === undefined
    ? undefined
    : await listFolder(files, join(root.path, name));
}

/**
 * Finds the mask of an image: the same name with `_mask` appended, or the
 * same name, whatever the extension.
 *
 * @param masks The folder to look in.
 * @param image The image's path.
 * @throws {Error} If there is none.
 */
export function findMask(masks: Folder, image: string): MaskSource {
  const own = stem(baseName(image));
  const candidates = imageNames(masks);
  for (const wanted of [`${own}_mask`, own]) {
    const found = candidates.find((candidate) => stem(candidate) === wanted) ??
      candidates.find((candidate) =>
        stem(candidate).toLowerCase() === wanted.toLowerCase()
      );
    if (found !== undefined) return { path: join(masks.path, found) };
  }
  throw new Error(
    `Cannot find the mask of "${image}": looked for "${own}_mask.png" and "${own}.png" (or another image type) in "${masks.path}"`,
  );
}

/**
 * Finds the masks of an image in a folder of its own, named like the image, as
 * MVTec LOCO AD has them: one a defect, which may overlap.
 *
 * @param masks The folder to look in.
 * @param image The image's path.
 * @throws {Error} If there is none.
 */
export async function findMasks(
  files: Files,
  masks: Folder,
  image: string,
): Promise<MaskSource> {
  const own = stem(baseName(image));
  const folder = await findFolder(files, masks, own);
  const [first, ...others] = folder === undefined ? [] : imageNames(folder)
    .map((name) => join(folder.path, name));
  if (first === undefined) {
    throw new Error(
      `Cannot find the masks of "${image}": looked for images in "${
        join(masks.path, own)
      }", found none`,
    );
  }
  return {
    path: first,
    nonZero: true,
    ...others.length > 0 && { others },
  };
}
