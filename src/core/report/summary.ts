import type { ReportTable } from "./facts.ts";
import { isWrong, type ReportRow, reportScore } from "./row.ts";

/** Images put together by their group; nothing where no group is known. */
export function groupTable(
  rows: readonly ReportRow[],
): ReportTable | undefined {
  const groups = Map.groupBy(rows, ({ group }) => group ?? "(none)");
  if (rows.every(({ group }) => group === undefined)) return undefined;
  const labelled = rows.some(({ truth }) => truth !== undefined);
  return {
    caption: "Groups",
    head: [
      "Group",
      "Images",
      "Anomalous",
      ...(labelled ? ["Wrong"] : []),
      "Mean score",
      "Highest score",
    ],
    rows: [...groups].map(([name, members]) => {
      const scores = members.map(reportScore);
      const wrong = members.filter(isWrong);
      return [
        name,
        members.length,
        members.filter(({ label }) => label === "anomalous").length,
        ...(labelled ? [wrong.length] : []),
        rounded(scores.reduce((a, b) => a + b, 0) / scores.length),
        rounded(scores.reduce((a, b) => Math.max(a, b), -Infinity)),
      ];
    }),
  };
}

const STEPS = [
  ["decode", "Read and decode"],
  ["trunk", "Backbone (GPU)"],
  ["patches", "Patch features (GPU)"],
  ["search", "Search and score (GPU)"],
  ["map", "Anomaly map (GPU)"],
  ["total", "All, on the clock"],
] as const;

/** Median and longest time of each step in milliseconds. */
export function timesTable(rows: readonly ReportRow[]): ReportTable {
  return {
    caption: "Milliseconds for an image",
    head: ["Step", "Median", "Longest"],
    rows: STEPS.flatMap(([key, name]) => {
      const values = rows.flatMap(({ ms }) => ms[key] ?? []).sort((a, b) =>
        a - b
      );
      if (values.length === 0) return [];
      const median = values[values.length >> 1]!;
      return [[name, rounded(median), rounded(values.at(-1)!)]];
    }),
  };
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
