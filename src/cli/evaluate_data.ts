import type { Category, LayoutName } from "../core/datasets/dataset.ts";
import { hasMasks } from "../core/evaluation/mod.ts";
import { detectLayout, readDataset } from "../core/datasets/read_dataset.ts";
import { DISK, FileError, statOrNothing } from "./disk.ts";
import { UsageError } from "./exit.ts";
import { didYouMean } from "./nearest.ts";
import type { Terminal } from "./terminal.ts";

/** A category and where it was found. */
export interface FoundCategory {
  /** The dataset's folder, as it was given. */
  readonly root: string;
  /** How the dataset is laid out. */
  readonly layout: LayoutName | undefined;
  /** Its training and test images. */
  readonly category: Category;
}

/**
 * Reads datasets and picks the categories that are wanted.
 *
 * @param roots Folders of datasets.
 * @param wanted Names of categories; all when not given.
 * @throws {FileError} If a folder is not there.
 * @throws {UsageError} If there is no such category.
 */
export async function findCategories(
  roots: readonly string[],
  wanted: readonly string[] | undefined,
): Promise<FoundCategory[]> {
  const found: FoundCategory[] = [];
  for (const root of roots) {
    if (!(await statOrNothing(root))?.isDirectory) {
      throw new FileError(`Cannot find "${root}": there is no such folder`);
    }
    const layout = await detectLayout(DISK, root);
    for (const category of await readDataset(DISK, root)) {
      found.push({ root, layout, category });
    }
  }
  if (wanted === undefined) return found;
  const names = found.map(({ category }) => category.name);
  for (const name of wanted) {
    if (names.includes(name)) continue;
    throw new UsageError(
      `Unknown category "${name}", expected some of ${names.join(", ")}${
        didYouMean(name, names)
      }`,
    );
  }
  return found.filter(({ category }) => wanted.includes(category.name));
}

/** Tells which categories have no masks, so no pixel metrics. */
export function noteMissingMasks(
  categories: readonly FoundCategory[],
  terminal: Terminal,
): void {
  const without = categories.filter(({ category }) => !hasMasks(category.test));
  if (without.length === 0) return;
  terminal.warn(
    `Anomalous images without masks in ${
      without.map(({ category }) => `"${category.name}"`).join(", ")
    }: image metrics only`,
  );
}
