import { shown } from "../settings/shown.ts";
import { type CsvRow, readCsv } from "./csv_rows.ts";
import type { Category, DatasetOptions, Sample } from "./dataset.ts";
import { baseName, type Files, join, stem } from "./files.ts";
import { folderRole } from "./folder_roles.ts";
import { splitHoldout } from "./holdout.ts";

/** An image of a list. */
interface Entry {
  readonly line: number;
  readonly category: string;
  readonly split: "train" | "test" | undefined;
  readonly sample: Sample;
}

/**
 * Reads a list of images, a CSV file with the columns `path`, `split` (train
 * or test), `label` (normal or good or ok, anomalous or bad or ng, or a kind of
 * defect) and `mask`; only `path` has to be there, `category` may be. Paths are
 * relative to the file. Without a label images are normal. Without a split all
 * images are predicted; otherwise a seeded share of the normal images is tested
 * together with the anomalous ones, where there are any.
 *
 * @param path The file.
 * @throws {Error} If a line cannot be understood, or an image to train with is
 * not normal, naming the line.
 */
export async function readListFile(
  files: Files,
  path: string,
  options: DatasetOptions = {},
): Promise<Category[]> {
  const rows = readCsv(await files.read(path), path);
  const entries = rows.map((row) => toEntry(row, path));
  if (entries.length === 0) {
    throw new Error(
      `Cannot read "${path}": expected a header with the column path and a line for each image, found none`,
    );
  }
  const groups = Map.groupBy(entries, ({ category }) => category);
  const names = [...groups.keys()].sort();
  return names.map((name) => {
    const group = groups.get(name)!;
    checkSplits(group, path);
    const samples = (split: Entry["split"]): Sample[] =>
      group.filter((entry) => entry.split === split)
        .map(({ sample }) => sample);
    const rest = samples(undefined);
    const { train, test, isDivided } = divide(rest, options);
    return {
      name,
      train: [...samples("train"), ...train],
      test: [...samples("test"), ...test],
      ...isDivided && { isDivided },
    };
  });
}

function checkSplits(entries: readonly Entry[], list: string): void {
  const without = entries.find(({ split }) => split === undefined);
  if (without === undefined) return;
  if (entries.every(({ split }) => split === undefined)) return;
  throw new Error(
    `Cannot read "${list}": line ${without.line} has no split, others have; expected train or test`,
  );
}

/** Images that no split was given for: what each purpose makes of them. */
function divide(
  samples: Sample[],
  options: DatasetOptions,
): { train: Sample[]; test: Sample[]; isDivided: boolean } {
  const { purpose } = options;
  if (samples.length === 0 || purpose === "predict") {
    return { train: [], test: samples, isDivided: false };
  }
  const normal = samples.filter(({ label }) => label === "normal");
  const anomalous = samples.filter(({ label }) => label === "anomalous");
  if (purpose === "fit" && anomalous.length === 0) {
    return { train: normal, test: [], isDivided: false };
  }
  const { train, test } = splitHoldout(normal, options);
  return { train, test: [...anomalous, ...test], isDivided: true };
}

function toEntry({ line, cells }: CsvRow, list: string): Entry {
  const place = `line ${line}`;
  const cell = (...names: string[]): string =>
    names.map((name) => cells.get(name) ?? "").find((text) => text !== "") ??
      "";
  const image = cell("path", "image_path", "image", "filename");
  if (image === "") {
    throw new Error(
      `Cannot read "${list}": ${place} has no path; expected the columns path, split, label and mask, found ${
        shown([...cells.keys()])
      }`,
    );
  }
  const word = cell("split", "subset");
  const role = folderRole(word);
  if (word !== "" && role !== "train" && role !== "test") {
    throw new Error(
      `Cannot read "${list}": ${place} must be of the split train or test: current value is ${
        shown(word)
      }`,
    );
  }
  const split = role === "train" || role === "test" ? role : undefined;
  const { label, defect } = labelOf(cell("label", "target"));
  if (split === "train" && label === "anomalous") {
    throw new Error(
      `Cannot read "${list}": ${place} is to train with, but its label is ${
        shown(cell("label", "target"))
      }; PatchCore learns from good parts alone`,
    );
  }
  const mask = cell("mask", "mask_path");
  return {
    line,
    category: cell("category") || stem(baseName(list)),
    split,
    sample: {
      path: beside(list, image),
      label,
      ...defect !== undefined && { defect },
      ...mask !== "" && label === "anomalous" &&
        { mask: { path: beside(list, mask) } },
    },
  };
}

function labelOf(word: string): Pick<Sample, "label" | "defect"> {
  const lower = word.toLowerCase();
  if (lower === "" || lower === "0" || lower === "false") {
    return { label: "normal" };
  }
  switch (folderRole(word)) {
    case "normal":
      return { label: "normal" };
    case "abnormal":
      return { label: "anomalous" };
  }
  const isKind = lower !== "1" && lower !== "true";
  return { label: "anomalous", ...isKind && { defect: word } };
}

/** A path of a list, relative to the list's folder unless it is absolute. */
function beside(list: string, path: string): string {
  if (/^([/\\]|[a-z]:[/\\])/i.test(path)) return path;
  const folder = list.replace(/[^/\\]*$/, "");
  return folder === "" ? path : join(folder, path);
}
