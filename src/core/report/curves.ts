import type { PixelResult } from "../metrics/pixel_metrics.ts";
import { auroc, rocCurve } from "../metrics/roc.ts";
import type { ReportRow } from "./row.ts";
import { type Html, html } from "./html.ts";

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

/** A curve of a report, such as a receiver operating characteristic. */
export interface ReportCurve {
  /** Heading, e.g. `Image ROC`. */
  readonly title: string;
  /** Under the horizontal axis. */
  readonly x: string;
  /** Beside the vertical axis. */
  readonly y: string;
  /** What the area is, e.g. `AUROC 0.981`. */
  readonly area: string;
  /** Points with ascending `x`. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Where the horizontal axis ends, 1 by default. */
  readonly end?: number;
  /** What it is put together with others by, such as a category. */
  readonly group?: string;
}

/** Curves by group: where there are several, all but the first wait to be opened. */
export function drawCurves(curves: readonly ReportCurve[]): Html {
  const groups = [...Map.groupBy(curves, ({ group }) => group)];
  return html`${
    groups.map(([group, members], i) => {
      const drawn = html`<div class="curves">${members.map(drawCurve)}</div>`;
      return groups.length === 1 ? drawn : html`
        <details class="group" ${i === 0 && "open"}>
          <summary>${group ?? "Others"}: ${members.map(({ title, area }) =>
            `${title} ${area}`
          ).join(", ")}</summary>
          ${drawn}
        </details>
      `;
    })
  }`;
}

const SIDE = 300;
const EDGE = { left: 54, right: 14, top: 12, bottom: 44 };

/** A curve in a square as a drawing with its caption. */
function drawCurve(curve: ReportCurve): Html {
  const { title, x, y, area, points, end = 1 } = curve;
  const width = SIDE - EDGE.left - EDGE.right;
  const height = SIDE - EDGE.top - EDGE.bottom;
  const base = SIDE - EDGE.bottom;
  const path = points.map(([a, b], i) =>
    `${i === 0 ? "M" : "L"}${(EDGE.left + a / end * width).toFixed(1)} ${
      (base - b * height).toFixed(1)
    }`
  ).join("");
  const ticks = [0, 0.5, 1];
  return html`
    <figure class="curve">
      <svg viewBox="0 0 ${SIDE} ${SIDE}" role="img"
        aria-label="${title}: ${area}">
    <path class="axis" d="M${EDGE.left} ${EDGE.top}V${base}H${SIDE -
      EDGE.right}"/>
    ${ticks.map((tick) =>
      html`
        <text x="${EDGE.left + tick * width}" y="${base +
          16}" text-anchor="middle">${Number(
            (tick * end).toPrecision(3),
          )}</text>
        <text x="${EDGE.left - 6}" y="${base - tick * height +
          4}" text-anchor="end">${tick}</text>
      `
    )}
    <text x="${EDGE.left + width / 2}" y="${SIDE -
      6}" text-anchor="middle">${x}</text>
    <text transform="translate(13 ${EDGE.top +
      height / 2}) rotate(-90)" text-anchor="middle">${y}</text>
    <path class="line" d="${path}"/>
      </svg>
      <figcaption><strong>${title}</strong> ${area}</figcaption>
    </figure>
  `;
}
