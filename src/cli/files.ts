import { imageNames, join, listFolder } from "../core/datasets/files.ts";
import { detectLayout, readDataset } from "../core/datasets/read_dataset.ts";
import type { ReportTruth } from "../core/report/mod.ts";
import { DISK, FileError, statOrNothing } from "./disk.ts";

/** What images are wanted for: of a dataset, fit takes other ones. */
type Purpose = "fit" | "predict";

/** Images that were asked for. */
interface ImageList {
  /** Paths, each once, in the order of the arguments, folders sorted. */
  readonly paths: readonly string[];
  /** What was chosen from datasets, a sentence each. */
  readonly notes: readonly string[];
  /** What datasets say of their images, by path. */
  readonly truths: ReadonlyMap<string, ReportTruth>;
}

/**
 * Finds the images that arguments name: files, folders with everything below
 * them, and dataset folders, of which `fit` takes the training images and
 * `predict` the test images.
 *
 * @param operands Paths of files and folders.
 * @throws {FileError} If a path does not exist or holds no image.
 */
export async function listImages(
  operands: readonly string[],
  purpose: Purpose,
): Promise<ImageList> {
  const paths = new Set<string>();
  const notes: string[] = [];
  const truths = new Map<string, ReportTruth>();
  for (const operand of operands) {
    const found = await imagesOf(operand, purpose);
    for (const path of found.paths) paths.add(path);
    notes.push(...found.notes);
    for (const [path, truth] of found.truths) truths.set(path, truth);
  }
  return { paths: [...paths], notes, truths };
}

async function imagesOf(operand: string, purpose: Purpose): Promise<ImageList> {
  const info = await statOrNothing(operand);
  if (info === undefined) {
    throw new FileError(
      `Cannot find "${operand}": there is no such file or folder`,
    );
  }
  const unknown = { notes: [], truths: new Map() };
  if (!info.isDirectory) return { paths: [operand], ...unknown };
  const layout = await detectLayout(DISK, operand);
  if (layout !== undefined) return await datasetImages(operand, purpose);
  const paths = await imagesBelow(operand, new Set());
  if (paths.length === 0) {
    throw new FileError(
      `Cannot find images in "${operand}": looked for PNG, JPEG, BMP, WebP and GIF files in it and in its folders`,
    );
  }
  return { paths, ...unknown };
}

async function datasetImages(
  root: string,
  purpose: Purpose,
): Promise<ImageList> {
  const categories = await readDataset(DISK, root);
  if (purpose === "fit" && categories.length > 1) {
    throw new FileError(
      `Cannot fit "${root}": it holds ${categories.length} categories (${
        categories.map(({ name }) => name).join(", ")
      }); name one of them, or use evaluate for all`,
    );
  }
  const part = purpose === "fit" ? "train" : "test";
  const truths = new Map<string, ReportTruth>();
  for (const category of categories) {
    for (const { path, label, defect = label } of category[part]) {
      const group = categories.length > 1
        ? `${category.name}: ${defect}`
        : defect;
      truths.set(path, { truth: label, group });
    }
  }
  const paths = [...truths.keys()];
  return {
    paths,
    truths,
    notes: [
      `"${root}" is a dataset: taking its ${paths.length} ${part} images`,
    ],
  };
}

async function imagesBelow(
  path: string,
  visited: Set<string>,
): Promise<string[]> {
  const real = await Deno.realPath(path);
  if (visited.has(real)) return [];
  visited.add(real);
  const folder = await listFolder(DISK, path);
  const found = imageNames(folder).map((name) => join(path, name));
  for (const name of folder.folders) {
    found.push(...await imagesBelow(join(path, name), visited));
  }
  return found;
}
