import type {
  Category,
  DatasetOptions,
  LayoutName,
} from "../core/datasets/dataset.ts";
import { baseName } from "../core/datasets/files.ts";
import { readListFile } from "../core/datasets/list_file.ts";
import { detectLayout, readDataset } from "../core/datasets/read_dataset.ts";
import { hasMasks } from "../core/evaluation/mod.ts";
import { DISK, FileError, statOrNothing } from "./disk.ts";
import { UsageError } from "./exit.ts";
import { folderNames, type LayoutValues } from "./layout_options.ts";
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

/** A category that cannot be evaluated. */
export interface FailedCategory {
  /** Its name. */
  readonly category: string;
  /** Why. */
  readonly error: Error;
}

/** What was found in datasets. */
interface Found {
  /** Categories that were read. */
  readonly categories: readonly FoundCategory[];
  /** Categories that cannot be. */
  readonly failed: readonly FailedCategory[];
}

/** What of datasets is wanted. */
interface Wanted extends Partial<LayoutValues> {
  /** Names of categories; all when not given. */
  readonly category?: readonly string[] | undefined;
}

/**
 * Reads datasets and picks the categories that are wanted.
 *
 * @param roots Folders of datasets.
 * @throws {FileError} If a folder is not there.
 * @throws {UsageError} If there is no such category.
 */
export async function findCategories(
  roots: readonly string[],
  wanted: Wanted,
): Promise<Found> {
  const found: FoundCategory[] = [];
  const failed: FailedCategory[] = [];
  const folders = folderNames(wanted);
  const options: DatasetOptions = {
    ...folders && { folders },
    onCategoryError: (category, error) => failed.push({ category, error }),
  };
  if (wanted.list !== undefined) {
    const root = wanted.list;
    for (const category of await readListFile(DISK, root, options)) {
      found.push({ root, layout: "list", category });
    }
  }
  for (const root of new Set(roots)) {
    if (!(await statOrNothing(root))?.isDirectory) {
      throw new FileError(`Cannot find "${root}": there is no such folder`);
    }
    const layout = folders === undefined
      ? await detectLayout(DISK, root)
      : "folders";
    try {
      for (const category of await readDataset(DISK, root, options)) {
        found.push({ root, layout, category });
      }
    } catch (error) {
      if (roots.length === 1 || !(error instanceof Error)) throw error;
      failed.push({ category: baseName(root), error });
    }
  }
  return pick({ categories: found, failed }, wanted.category);
}

function pick(
  { categories, failed }: Found,
  wanted: readonly string[] | undefined,
): Found {
  if (wanted === undefined) return { categories, failed };
  const names = [
    ...categories.map(({ category }) => category.name),
    ...failed.map(({ category }) => category),
  ];
  for (const name of wanted) {
    if (names.includes(name)) continue;
    throw new UsageError(
      `Unknown category "${name}", expected some of ${names.join(", ")}${
        didYouMean(name, names)
      }`,
    );
  }
  return {
    categories: categories.filter(({ category }) =>
      wanted.includes(category.name)
    ),
    failed: failed.filter(({ category }) => wanted.includes(category)),
  };
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
