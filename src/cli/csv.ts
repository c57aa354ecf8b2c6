import type { EvaluationRecord } from "../core/evaluation/mod.ts";
import type { PredictionRecord } from "./prediction_record.ts";

type Cell = string | number;

const PREDICTION_COLUMNS = [
  "image_path",
  "pred_score",
  "pred_score_normalized",
  "pred_label",
  "threshold",
  "worst_x",
  "worst_y",
  "worst_width",
  "worst_height",
  "nearest_image_path",
  "nearest_x",
  "nearest_y",
  "error",
  "uncertain_from",
  "regions",
  "largest_area",
] as const;

const REGION_COLUMNS = [
  "image_path",
  "x",
  "y",
  "width",
  "height",
  "area",
  "peak",
  "peak_x",
  "peak_y",
] as const;

/** The first line of a table of regions. */
export function regionHead(): string {
  return csv([REGION_COLUMNS]);
}

/** The lines of an image's regions, one each; none where it has none. */
export function regionRows(record: PredictionRecord): string {
  if ("error" in record) return "";
  const { image_path, regions } = record;
  return csv(
    regions.map((region) =>
      REGION_COLUMNS.map((column) =>
        column === "image_path" ? image_path : region[column]
      )
    ),
  );
}

/** The first line of a table of predictions. */
export function predictionHead(): string {
  return csv([PREDICTION_COLUMNS]);
}

/** The line of an image in a table of predictions. */
export function predictionRow(record: PredictionRecord): string {
  return csv([predictionCells(record)]);
}

function predictionCells(record: PredictionRecord): readonly Cell[] {
  if ("error" in record) {
    return PREDICTION_COLUMNS.map((column) =>
      column === "image_path" || column === "error" ? record[column] : ""
    );
  }
  const { worst_patch: worst } = record;
  return [
    record.image_path,
    record.pred_score,
    record.pred_score_normalized ?? "",
    record.pred_label ?? "",
    record.threshold ?? "",
    worst.x,
    worst.y,
    worst.width,
    worst.height,
    worst.nearest.image_path,
    worst.nearest.x,
    worst.nearest.y,
    "",
    record.uncertain_from ?? "",
    record.regions.length,
    record.regions.reduce((most, { area }) => Math.max(most, area), 0),
  ];
}

/** A table of evaluations, one line a record; nested keys are joined by dots. */
export function evaluationCsv(records: readonly EvaluationRecord[]): string {
  const rows = records.map((record) => new Map(flatten(record)));
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  return csv([
    columns,
    ...rows.map((row) => columns.map((column) => row.get(column) ?? "")),
  ]);
}

function flatten(object: object, prefix = ""): [string, Cell][] {
  return Object.entries(object).flatMap(([key, value]) =>
    typeof value === "object" && value !== null
      ? flatten(value, `${prefix}${key}.`)
      : [[prefix + key, typeof value === "number" ? value : `${value ?? ""}`]]
  );
}

/** Lines of cells as RFC 4180 has them. */
function csv(lines: readonly (readonly Cell[])[]): string {
  return lines.map((cells) => `${cells.map(quote).join(",")}\r\n`).join("");
}

/**
 * A cell as text. A spreadsheet runs text that begins like a formula, so that
 * gets an apostrophe before it; numbers stay numbers.
 */
function quote(cell: Cell): string {
  if (typeof cell === "number") return String(cell);
  const isFormula = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(cell);
  const text = isFormula ? `'${cell}` : cell;
  return isFormula || /[",\r\n]/.test(text)
    ? `"${text.replaceAll('"', '""')}"`
    : text;
}
