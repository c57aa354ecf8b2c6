import type { PredictionRecord } from "./prediction_record.ts";

const COLUMNS = [
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
] as const;

/** A table of predictions, RFC 4180, one line an image. */
export function predictionCsv(records: readonly PredictionRecord[]): string {
  const lines = [COLUMNS.join(","), ...records.map(line)];
  return lines.map((text) => `${text}\r\n`).join("");
}

function line(record: PredictionRecord): string {
  if ("error" in record) {
    const blanks = COLUMNS.slice(2).map(() => "");
    return [quote(record.image_path), ...blanks, quote(record.error)].join(",");
  }
  const { worst_patch: worst } = record;
  return [
    quote(record.image_path),
    record.pred_score,
    record.pred_score_normalized ?? "",
    record.pred_label,
    record.threshold ?? "",
    worst.x,
    worst.y,
    worst.width,
    worst.height,
    quote(worst.nearest.image_path),
    worst.nearest.x,
    worst.nearest.y,
    "",
  ].join(",");
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
