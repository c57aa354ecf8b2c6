import { type Html, html } from "./html.ts";

/** One kind of score in a histogram. */
export interface ScoreGroup {
  /** Its name in the legend. */
  readonly name: string;
  /** Class of its bars; the style sheet colours it. */
  readonly kind: "normal" | "anomalous" | "unknown";
  /** The scores. */
  readonly scores: readonly number[];
}

/** What is drawn around the bars. */
interface HistogramOptions {
  /** Where the threshold is drawn; NaN: nowhere. */
  readonly threshold: number;
  /** What is under the axis. */
  readonly axis: string;
  /**
   * Scores that are expected per unit of the axis, drawn as a line over the
   * bars; NaN where nothing is expected.
   */
  readonly density?: (score: number) => number;
}

const WIDTH = 480;
const HEIGHT = 220;
const EDGE = { left: 40, right: 14, top: 26, bottom: 46 };
const BINS = 40;

/**
 * A histogram of scores as a drawing: groups are stacked, the threshold is a
 * line across.
 */
export function histogram(
  groups: readonly ScoreGroup[],
  { threshold, axis, density }: HistogramOptions,
): Html {
  const scores = groups.flatMap(({ scores }) => scores);
  const highest = scores.reduce((a, b) => Math.max(a, b), 0);
  const end = niceEnd(Math.max(highest, threshold || 0) * 1.02 || 1);
  const counts = groups.map(({ scores }) => binned(scores, end));
  const totals = Array.from(
    { length: BINS },
    (_, bin) => counts.reduce((sum, group) => sum + group[bin]!, 0),
  );
  const most = Math.max(1, ...totals);
  const width = WIDTH - EDGE.left - EDGE.right;
  const height = HEIGHT - EDGE.top - EDGE.bottom;
  const x = (score: number): number => EDGE.left + score / end * width;
  const y = (count: number): number => EDGE.top + height * (1 - count / most);
  const below = new Array<number>(BINS).fill(0);
  const bars = groups.map(({ kind }, g) =>
    counts[g]!.map((count, bin) => {
      if (count === 0) return undefined;
      const from = below[bin]!;
      below[bin] = from + count;
      const left = x(bin * end / BINS) + 0.5;
      return html`
        <rect class="bar ${kind}" x="${round(left)}" y="${round(
          y(from + count),
        )}"
          width="${round(width / BINS - 1)}" height="${round(
            y(from) - y(from + count),
          )}" />
      `;
    })
  );
  const line = density === undefined
    ? ""
    : Array.from({ length: 4 * BINS + 1 }, (_, i) => i * end / (4 * BINS))
      .map((score) => [score, density(score) * end / BINS] as const)
      .filter(([, count]) => Number.isFinite(count))
      .map(([score, count], i) =>
        `${i === 0 ? "M" : "L"}${round(x(score))} ${
          round(y(Math.min(count, most)))
        }`
      ).join("");
  const ticks = Array.from({ length: 6 }, (_, i) => i * end / 5);
  const base = HEIGHT - EDGE.bottom;
  const label = Number.isFinite(threshold)
    ? `Scores from 0 to ${short(end)}, threshold at ${short(threshold)}`
    : `Scores from 0 to ${short(end)}, no threshold`;
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
<path class="axis" d="M${EDGE.left} ${EDGE.top}V${base}H${WIDTH - EDGE.right}"/>
${bars}
${
    line !== "" && html`
      <path class="line" d="${line}" />
    `
  }
${
    ticks.map((tick) =>
      html`<text x="${round(x(tick))}" y="${base + 17}" text-anchor="middle">${
        short(tick)
      }</text>`
    )
  }
<text x="${EDGE.left - 6}" y="${EDGE.top + 4}" text-anchor="end">${most}</text>
<text x="${EDGE.left - 6}" y="${base}" text-anchor="end">0</text>
<text x="${EDGE.left + width / 2}" y="${
    HEIGHT - 6
  }" text-anchor="middle">${axis}</text>
${
    Number.isFinite(threshold) && html`
      <path class="threshold" d="M${round(x(threshold))} ${EDGE.top -
        4}V${base}" />
      <text x="${round(x(threshold))}" y="${EDGE.top -
        8}" text-anchor="middle">threshold</text>
    `
  }
</svg>
<p class="legend">${
    groups.map(({ name, kind, scores }) =>
      html`
        <span><i class="key ${kind}"></i>${name} (${scores.length})</span>
      `
    )
  }</p>`;
}

function binned(scores: readonly number[], end: number): number[] {
  const counts = new Array<number>(BINS).fill(0);
  for (const score of scores) {
    const bin = Math.floor(score / end * BINS);
    counts[Math.min(Math.max(bin, 0), BINS - 1)]!++;
  }
  return counts;
}

/** The next of 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten. */
function niceEnd(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const steps = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];
  return power * steps.find((step) => step * power >= value)!;
}

function round(value: number): string {
  return value.toFixed(1);
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
