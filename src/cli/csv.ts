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
] as const;

/** A table of predictions, one line an image. */
export function predictionCsv(records: readonly PredictionRecord[]): string {
  return csv([PREDICTION_COLUMNS, ...records.map(predictionCells)]);
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

function flatten(object: object, prefix = ""): [string, string][] {
  return Object.entries(object).flatMap(([key, value]) =>
    typeof value === "object" && value !== null
      ? flatten(value, `${prefix}${key}.`)
      : [[prefix + key, value === null ? "" : String(value)]]
  );
}

/** Lines of cells as RFC 4180 has them. */
function csv(lines: readonly (readonly Cell[])[]): string {
  return lines.map((cells) => `${cells.map(quote).join(",")}\r\n`).join("");
}

function quote(cell: Cell): string {
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
