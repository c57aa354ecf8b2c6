import { type CsvRow, readCsv } from "./csv_rows.ts";
import type { Category, Sample } from "./dataset.ts";
import { type Files, type Folder, join } from "./files.ts";

const SPLIT = "split_csv/1cls.csv";
const COLUMNS = ["object", "split", "label", "image", "mask"] as const;

type Row = Readonly<Record<typeof COLUMNS[number], string>>;

/**
 * Reads VisA by its own one-class split, `split_csv/1cls.csv`. Its masks hold
 * the number of the defect's kind, so every value but 0 is anomalous. Images
 * are sorted by path.
 *
 * @returns One category an object, sorted by name.
 * @throws {Error} If the split cannot be understood, naming the line.
 */
export async function readVisa(
  files: Files,
  root: Folder,
): Promise<Category[]> {
  const path = join(root.path, SPLIT);
  const rows = readCsv(await files.read(path), path);
  const categories = new Map<string, { train: Sample[]; test: Sample[] }>();
  for (const row of parseSplit(rows, path)) {
    let category = categories.get(row.object);
    if (category === undefined) {
      category = { train: [], test: [] };
      categories.set(row.object, category);
    }
    category[row.split as "train" | "test"].push(toSample(root, row));
  }
  return [...categories].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, { train, test }]) => ({
      name,
      train: train.sort(byPath),
      test: test.sort(byPath),
    }));
}

function toSample(root: Folder, row: Row): Sample {
  const path = join(root.path, row.image);
  if (row.label === "normal") return { path, label: "normal" };
  const mask = { path: join(root.path, row.mask), nonZero: true };
  return row.mask === ""
    ? { path, label: "anomalous" }
    : { path, label: "anomalous", mask };
}

function parseSplit(rows: readonly CsvRow[], path: string): Row[] {
  const names = [...rows[0]?.cells.keys() ?? []];
  const missing = COLUMNS.find((column) => !names.includes(column));
  if (missing !== undefined) {
    throw new Error(
      `Cannot read "${path}": looked for the columns ${
        COLUMNS.join(", ")
      }, found "${names.join(",")}"`,
    );
  }
  return rows.map(({ line, cells }) => {
    const row = Object.fromEntries(
      COLUMNS.map((column) => [column, cells.get(column)!]),
    ) as Row;
    const isKnown = row.object !== "" && row.image !== "" &&
      ["train", "test"].includes(row.split) &&
      ["normal", "anomaly"].includes(row.label);
    if (isKnown) return row;
    throw new Error(
      `Cannot read "${path}": line ${line} must name an object, split train or test, label normal or anomaly, an image and a mask: current line is "${
        [...cells.values()].join(",")
      }"`,
    );
  });
}

function byPath(a: Sample, b: Sample): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
