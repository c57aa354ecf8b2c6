import { dirname } from "node:path";
import type { Category, DatasetOptions } from "../core/datasets/dataset.ts";
import {
  baseName,
  type Folder,
  imageNames,
  join,
  listFolder,
} from "../core/datasets/files.ts";
import { folderRole, foldersOf } from "../core/datasets/folder_roles.ts";
import { readListFile } from "../core/datasets/list_file.ts";
import { ownLayout, readDataset } from "../core/datasets/read_dataset.ts";
import type { ReportTruth } from "../core/report/mod.ts";
import { DISK, FileError, realPath, statOrNothing } from "./disk.ts";
import { counted, folderOf, relativeFolders } from "./folder_counts.ts";
import { folderNames, type LayoutValues } from "./layout_options.ts";

/** What images are wanted for: of a dataset, fit takes other ones. */
type Purpose = "fit" | "predict";

/** How images are chosen. */
interface ListOptions extends Partial<LayoutValues> {
  /** Whether folders count whatever they are called. */
  readonly all?: boolean;
}

/** Images that were asked for. */
interface ImageList {
  /** Paths, each file once, in the order of the arguments, folders sorted. */
  readonly paths: readonly string[];
  /** What was taken and left of each argument, a sentence each. */
  readonly notes: readonly string[];
  /** What was left out although nothing says that it should be. */
  readonly warnings: readonly string[];
  /** What datasets say of their images, by path. */
  readonly truths: ReadonlyMap<string, ReportTruth>;
}

/**
 * Finds the images that arguments name: files, folders with everything below
 * them, and dataset folders, of which `fit` takes the training images and
 * `predict` the test images. Two spellings of one file are one image.
 *
 * @param operands Paths of files and folders.
 * @throws {FileError} If a path does not exist or holds no image, or `fit` would
 * learn from a folder whose name says that it holds other than good parts.
 */
export async function listImages(
  operands: readonly string[],
  purpose: Purpose,
  options: ListOptions = {},
): Promise<ImageList> {
  const found: ImageList[] = [];
  if (options.list !== undefined) {
    found.push(await listedImages(options.list, purpose));
  }
  for (const operand of operands) {
    found.push(await imagesOf(operand, purpose, options));
  }
  const paths = new Map<string, string>();
  for (const path of found.flatMap(({ paths }) => paths)) {
    const real = await realPath(path);
    if (!paths.has(real)) paths.set(real, path);
  }
  return {
    paths: [...paths.values()],
    notes: found.flatMap(({ notes }) => notes),
    warnings: found.flatMap(({ warnings }) => warnings),
    truths: new Map(found.flatMap(({ truths }) => [...truths])),
  };
}

async function listedImages(
  list: string,
  purpose: Purpose,
): Promise<ImageList> {
  const categories = await readListFile(DISK, list, { purpose });
  return datasetImages(list, categories, purpose, []);
}

async function imagesOf(
  operand: string,
  purpose: Purpose,
  options: ListOptions,
): Promise<ImageList> {
  const info = await statOrNothing(operand);
  if (info === undefined) {
    throw new FileError(
      `Cannot find "${operand}": there is no such file or folder`,
    );
  }
  if (!info.isDirectory) {
    if (purpose === "fit" && !options.all) {
      refuseName(operand, dirname(operand));
    }
    return { paths: [operand], notes: [], warnings: [], truths: new Map() };
  }
  const below = await walk(operand, options);
  const found = [...below.images, ...below.datasets.flatMap((d) => d.images)];
  if (found.length === 0 && below.datasets.length === 0) {
    throw new FileError(
      `Cannot find images in "${operand}": looked for PNG, JPEG, TIFF, BMP, WebP, GIF and AVIF files in it and in its folders`,
    );
  }
  const read: DatasetOptions = { purpose, ...foldersGiven(options) };
  const categories: Category[] = [];
  const unread = unreadable(operand, below);
  for (const { path } of below.datasets) {
    try {
      categories.push(...await readDataset(DISK, path, read));
    } catch (error) {
      const isAll = below.images.length === 0 && below.datasets.length === 1;
      if (purpose === "fit" || isAll || !(error instanceof Error)) throw error;
      unread.push(error.message);
    }
  }
  if (categories.length === 0) {
    if (purpose === "fit" && !options.all) {
      refuseName(operand, operand);
      refuseOthers(operand, below);
    }
    return {
      paths: below.images,
      notes: [takenNote(operand, below.images)],
      warnings: unread,
      truths: new Map(),
    };
  }
  return datasetImages(operand, categories, purpose, below.images, {
    all: found,
    warnings: unread,
  });
}

function foldersGiven(
  options: ListOptions,
): Pick<DatasetOptions, "folders"> {
  const folders = folderNames(options);
  return folders === undefined ? {} : { folders };
}

/** The images of categories, and those beside them. */
function datasetImages(
  root: string,
  categories: readonly Category[],
  purpose: Purpose,
  beside: readonly string[],
  { all, warnings }: {
    readonly all: readonly string[];
    readonly warnings: readonly string[];
  } = { all: [], warnings: [] },
): ImageList {
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
  const own = [...truths.keys()];
  const paths = purpose === "fit" ? own : [...beside, ...own];
  const taken = new Set(paths);
  const left = all.filter((path) => !taken.has(path));
  const known = left.filter((path) => hasRole(root, path));
  const unknown = left.filter((path) => !hasRole(root, path));
  const kind = all.length === 0 ? "list" : "dataset";
  return {
    paths,
    truths,
    notes: [
      `"${root}" is a ${kind}: taking its ${own.length} ${part} images (${
        counted(root, own)
      })${known.length > 0 ? `, leaving ${counted(root, known)}` : ""}${
        heldBackNote(root, categories, purpose)
      }`,
      ...purpose === "predict" && beside.length > 0
        ? [`"${root}": also taking ${counted(root, beside)} beside the dataset`]
        : [],
    ],
    warnings: [
      ...unknown.length > 0
        ? [
          `"${root}" is a dataset: ${unknown.length} other images are not taken (${
            counted(root, unknown)
          })`,
        ]
        : [],
      ...warnings,
    ],
  };
}

/** Tells that of a folder of normal images some are kept for the test. */
function heldBackNote(
  root: string,
  categories: readonly Category[],
  purpose: Purpose,
): string {
  if (purpose !== "fit") return "";
  const folders = (samples: Category["train"]): Set<string> =>
    new Set(samples.map(({ path }) => folderOf(root, path)));
  const held = categories.flatMap(({ train, test }) => {
    const trained = folders(train);
    return test.filter(({ label, path }) =>
      label === "normal" && trained.has(folderOf(root, path))
    );
  });
  return held.length === 0
    ? ""
    : `; ${held.length} normal images are held back for the test`;
}

/** All images below a folder, apart from each other where they are datasets. */
interface Below {
  /** Images outside of datasets. */
  readonly images: string[];
  /** Datasets with all images below them. */
  readonly datasets: { readonly path: string; readonly images: string[] }[];
  /** Images of formats that cannot be read. */
  readonly foreign: string[];
}

const FOREIGN =
  /\.(heic|heif|avif|jxl|jp2|jpx|cr2|cr3|nef|arw|dng|raw|pgm|ppm|pnm|pbm|exr|hdr|psd|tga)$/i;

async function walk(root: string, options: ListOptions): Promise<Below> {
  const below: Below = { images: [], datasets: [], foreign: [] };
  const visited = new Set<string>();
  const visit = async (path: string, images: string[]): Promise<void> => {
    const real = await realPath(path);
    if (visited.has(real)) return;
    visited.add(real);
    const folder = await listFolder(DISK, path);
    let into = images;
    if (images === below.images && await isDataset(folder, root, options)) {
      below.datasets.push({ path, images: into = [] });
    }
    for (const name of imageNames(folder)) into.push(join(path, name));
    for (const name of folder.files) {
      if (FOREIGN.test(name)) below.foreign.push(join(path, name));
    }
    for (const name of folder.folders) await visit(join(path, name), into);
  };
  await visit(root, below.images);
  return below;
}

async function isDataset(
  folder: Folder,
  root: string,
  options: ListOptions,
): Promise<boolean> {
  if (options.all) return false;
  if (options.normalDir !== undefined) return folder.path === root;
  return await ownLayout(DISK, folder) !== undefined;
}

/** Refuses to learn from what a folder's name says is no good part. */
function refuseName(operand: string, folder: string): void {
  const name = baseName(folder);
  if (!isSuspicious(name)) return;
  throw new FileError(
    `Refused to fit "${operand}": a folder named "${name}" holds other than good parts; name the folder of good images, or add --all`,
  );
}

/** Refuses to learn from folders below whose names say that, or may mean it. */
function refuseOthers(root: string, { images }: Below): void {
  const named = images.filter((path) =>
    relativeFolders(root, path).some(isSuspicious)
  );
  const advice = (good: string | undefined): string =>
    `name the folder of good images${
      good === undefined ? "" : `, such as "${join(root, good)}"`
    }, or add --all`;
  const folders = [...new Set(images.map((path) => folderOf(root, path)))];
  const good =
    folders.find((folder) =>
      folder.split(/[/\\]/).some((name) => folderRole(name) === "normal")
    ) ?? folders.find((folder) => folderRole(folder) === "train");
  if (named.length > 0) {
    throw new FileError(
      `Refused to fit "${root}": ${named.length} of its images are in folders whose names stand for other than good parts (${
        counted(root, named)
      }); ${advice(good)}`,
    );
  }
  const tops = [
    ...new Set(images.map((path) => relativeFolders(root, path)[0] ?? ".")),
  ];
  const normal = foldersOf(tops, "normal");
  if (normal.length === 0 || normal.length === tops.length) return;
  throw new FileError(
    `Refused to fit "${root}": it has images beside its folder "${
      normal[0]
    }" (${
      counted(
        root,
        images.filter((path) =>
          !normal.includes(relativeFolders(root, path)[0] ?? ".")
        ),
      )
    }); ${advice(normal[0])}`,
  );
}

function isSuspicious(name: string): boolean {
  return ["test", "masks", "abnormal"].includes(folderRole(name) ?? "");
}

function hasRole(root: string, path: string): boolean {
  return relativeFolders(root, path)
    .some((name) => folderRole(name) !== undefined) ||
    /_(gt|label)\.(png|bmp)$/i.test(path);
}

function takenNote(root: string, paths: readonly string[]): string {
  const where = paths.every((path) => folderOf(root, path) === ".")
    ? ""
    : ` (${counted(root, paths)})`;
  return `"${root}": taking ${paths.length} images${where}`;
}

function unreadable(root: string, { foreign }: Below): string[] {
  if (foreign.length === 0) return [];
  const kinds = Map.groupBy(
    foreign,
    (path) => path.slice(path.lastIndexOf(".")).toLowerCase(),
  );
  const counts = [...kinds].map(([kind, { length }]) => `${kind} ${length}`);
  return [
    `"${root}": ${foreign.length} images of formats that cannot be read are not taken (${
      counts.join(", ")
    }); convert them to PNG`,
  ];
}
