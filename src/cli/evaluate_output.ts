import type { EvaluationRecord, Rate } from "../core/evaluation/mod.ts";
import { table } from "./table.ts";

const TABLE: readonly (readonly [title: string, rate: Rate])[] = [
  ["image AUROC", "image_auroc"],
  ["AUPR", "image_aupr"],
  ["F1 max", "f1_max"],
  ["pixel AUROC", "pixel_auroc"],
  ["AUPRO 30 %", "aupro_30"],
  ["5 %", "aupro_5"],
  ["PRO", "pro_per_image"],
];

/** A table of results for people: rates in percent. */
export function evaluationTable(records: readonly EvaluationRecord[]): string {
  const { head, rows } = evaluationCells(records);
  return table([head, ...rows]);
}

/** The same in cells, a dash where there is no number. */
export function evaluationCells(
  records: readonly EvaluationRecord[],
): { head: string[]; rows: string[][] } {
  const shots = records.some((record) => record.shots !== undefined);
  const head = [
    "category",
    ...shots ? ["shots"] : [],
    ...TABLE.map(([title]) => title),
    "false +",
    "false −",
    "seconds",
  ];
  const rows = records.map((record) => [
    record.category,
    ...shots ? [`${record.shots ?? "all"}`] : [],
    ...TABLE.map(([, rate]) => percent(record, rate)),
    count(record.false_positives),
    count(record.false_negatives),
    (record.seconds["total"] ?? 0).toFixed(0),
  ]);
  return { head, rows };
}

function percent(record: EvaluationRecord, rate: Rate): string {
  const value = record[rate];
  if (value === null) return "–";
  const deviation = record.std?.[rate];
  const text = (100 * value).toFixed(2);
  return deviation === undefined || deviation === null
    ? text
    : `${text} ± ${(100 * deviation).toFixed(2)}`;
}

function count(value: number | null): string {
  if (value === null) return "–";
  return Number.isInteger(value) ? `${value}` : value.toFixed(1);
}
