import { type Html, html } from "./html.ts";

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
export function drawCurve(curve: ReportCurve): Html {
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
