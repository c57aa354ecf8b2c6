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

/** Cells of a table. */
interface Cells {
  readonly head: string[];
  readonly rows: string[][];
}

/** Tables of results for people: rates in percent, and verdicts. */
export function evaluationTable(records: readonly EvaluationRecord[]): string {
  return [evaluationCells(records), verdictCells(records)]
    .map(({ head, rows }) => table([head, ...rows])).join("\n\n");
}

/** Rates in cells, a dash where there is no number. */
export function evaluationCells(
  records: readonly EvaluationRecord[],
): Cells {
  const shots = records.some((record) => record.shots !== undefined);
  const head = [
    "category",
    ...shots ? ["shots"] : [],
    ...TABLE.map(([title]) => title),
    "seconds",
  ];
  const rows = records.map((record) => [
    record.category,
    ...shots ? [`${record.shots ?? "all"}`] : [],
    ...TABLE.map(([, rate]) => percent(record, rate)),
    (record.seconds["total"] ?? 0).toFixed(0),
  ]);
  return { head, rows };
}

/**
 * Verdicts in cells: what the model's own threshold gets wrong, with 95 %
 * intervals, and beside it what the threshold of the best F1 would, which only
 * the labelled images tell.
 */
export function verdictCells(records: readonly EvaluationRecord[]): Cells {
  const shots = records.some((record) => record.shots !== undefined);
  const band = records.some((record) => record.threshold_uncertain);
  const head = [
    "category",
    ...shots ? ["shots"] : [],
    "threshold",
    "false alarms",
    "misses",
    ...band ? ["uncertain good", "uncertain bad"] : [],
    "F1",
    "best F1",
    "its false alarms",
    "its misses",
  ];
  const rows = records.map((record) => [
    record.category,
    ...shots ? [`${record.shots ?? "all"}`] : [],
    record.threshold?.toPrecision(4) ?? "–",
    wrong(
      record.threshold_false_positives,
      record.false_alarm_rate,
      record.false_alarm_interval,
    ),
    wrong(
      record.threshold_false_negatives,
      record.miss_rate,
      record.miss_interval,
    ),
    ...band
      ? [
        count(record.threshold_uncertain?.normal ?? null),
        count(record.threshold_uncertain?.anomalous ?? null),
      ]
      : [],
    hundredths(record.threshold_f1),
    percent(record, "f1_max"),
    count(record.false_positives),
    count(record.false_negatives),
  ]);
  return { head, rows };
}

/** A count and its share, e.g. `3 = 5.0 % (1.0–13.9)`. */
function wrong(
  images: number | null,
  rate: number | null,
  interval: EvaluationRecord["miss_interval"],
): string {
  if (images === null) return "–";
  if (rate === null) return count(images);
  const ends = interval?.map((end) => (100 * end).toFixed(1)).join("–");
  return `${count(images)} = ${(100 * rate).toFixed(1)} %${
    ends === undefined ? "" : ` (${ends})`
  }`;
}

function hundredths(value: number | null): string {
  return value === null ? "–" : (100 * value).toFixed(2);
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
