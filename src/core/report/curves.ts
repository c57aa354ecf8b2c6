import type { PixelResult } from "../metrics/pixel_metrics.ts";
import { auroc, rocCurve } from "../metrics/roc.ts";
import type { ReportCurve } from "./curve.ts";
import type { ReportRow } from "./row.ts";

/** False-positive rate that the per-region overlap is drawn to. */
const PRO_END = 0.3;

/** The image ROC where both kinds of images are known; otherwise nothing. */
export function imageCurves(
  rows: readonly Pick<ReportRow, "score" | "truth">[],
): ReportCurve[] {
  const known = rows.filter(({ truth }) => truth !== undefined);
  const labels = known.map(({ truth }) => truth === "anomalous");
  if (!labels.includes(true) || !labels.includes(false)) return [];
  const scores = known.map(({ score }) => score);
  const { falsePositiveRate, truePositiveRate } = rocCurve(scores, labels);
  return [{
    title: "Image ROC",
    x: "good parts flagged",
    y: "defective parts found",
    area: `AUROC ${auroc(scores, labels).toFixed(4)}`,
    points: Array.from(falsePositiveRate, (x, i) => [x, truePositiveRate[i]!]),
  }];
}

/** Pixel ROC and per-region overlap, as far as masks make them known. */
export function pixelCurves(result: PixelResult): ReportCurve[] {
  const curves: ReportCurve[] = [
    {
      title: "Pixel ROC",
      x: "good pixels flagged",
      y: "defective pixels found",
      area: `AUROC ${result.auroc.toFixed(4)}`,
      points: result.rocPoints,
    },
    {
      title: "Per-region overlap",
      x: "good pixels flagged",
      y: "share of each defect found",
      area: `AUPRO up to 30 % ${result.aupro30.toFixed(4)}`,
      points: result.proPoints,
      end: PRO_END,
    },
  ];
  return result.components === 0 ? [] : curves;
}
