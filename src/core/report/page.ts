import { drawCurves } from "./curves.ts";
import { histogram, type ScoreGroup } from "./histogram.ts";
import { renderDocument } from "./document.ts";
import { type Html, html } from "./html.ts";
import type { ReportFacts, ReportTable } from "./facts.ts";
import { isWrong, type ReportRow, reportScore, verdictOf } from "./row.ts";
import { settingsText } from "./settings_text.ts";
import { shareInWords } from "./share.ts";
import { groupTable, timesTable } from "./summary.ts";
import { drawTable } from "./table.ts";

/** Everything that a page shows. */
interface PageContent extends ReportFacts {
  /** All images, the worst first. */
  readonly rows: readonly ReportRow[];
  /** Images that could not be used. */
  readonly failures: readonly { name: string; message: string }[];
  /** The worst of them with their pictures. */
  readonly images: readonly { row: ReportRow; drawn: Html }[];
}

/** Makes the page. */
export function renderPage(content: PageContent): string {
  const { title, facts, settings, rows, images, failures } = content;
  const { curves = [], tables = [] } = content;
  const groups = groupTable(rows);
  const main = html`
    ${numbers(content)}
    ${failures.length > 0 && failureList(failures)}
    ${tables.map(tableSection)}
    <section><h2>Scores</h2>
    ${scores(content)}</section>
    ${curves.length > 0 &&
      html`
        <section>
          <h2>Curves</h2>
          ${drawCurves(curves)}
        </section>
      `}
    ${groups && tableSection(groups)}
    <section id="images"><h2>Worst first</h2>
    ${picturesIntroduction(content)}
    ${images.map(({ row, drawn }, i) => card(row, i + 1, drawn))}
    </section>
    <section>
      <h2>All images</h2>
      <details><summary>Table of all ${rows
        .length} images</summary>
    ${drawTable(allImages(rows))}</details>
    </section>
    <section><h2>How it was made</h2>
    ${drawTable({
      caption: "Facts",
      head: ["What", "Value"],
      rows: facts,
    })}<h3>Time for an image</h3>${drawTable(timesTable(rows))}
    <details><summary>All settings</summary><pre tabindex="0">${settingsText(
      settings,
    )}</pre></details></section>
  `;
  return renderDocument(title, main);
}

function tableSection(table: ReportTable): Html {
  return html`<section><h2>${table.caption}</h2>${drawTable(table)}</section>`;
}

function numbers({ rows, failures }: PageContent): Html {
  const called = (label: ReportRow["label"]): number =>
    rows.filter((row) => row.label === label).length;
  const items: [string, string | number][] = [["Images", rows.length]];
  for (const label of ["anomalous", "uncertain", "normal", null] as const) {
    const count = called(label);
    const isRare = label === "uncertain" || label === null;
    if (isRare && count === 0) continue;
    const name = verdictOf({ label });
    items.push([name.replace(/^./, (c) => c.toUpperCase()), count]);
  }
  items.push(["Threshold", commonThreshold(rows)]);
  items.push(...wrongVerdicts(rows));
  const contradicted = rows.filter(({ mapDisagrees }) => mapDisagrees).length;
  if (contradicted > 0) {
    items.push([
      "Verdict and map disagree",
      `${contradicted} of ${rows.length}`,
    ]);
  }
  if (failures.length > 0) items.push(["Not readable", failures.length]);
  return html`<dl class="numbers">${
    items.map(([name, value]) =>
      html`
        <div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>
      `
    )
  }</dl>`;
}

/** False alarms and misses, with what their shares can be. */
function wrongVerdicts(rows: readonly ReportRow[]): [string, string][] {
  const judged = rows.filter(({ label }) => label !== null);
  return ([
    ["False alarms", "normal"],
    ["Misses", "anomalous"],
  ] as const).flatMap(([name, kind]): [string, string][] => {
    const known = judged.filter(({ truth }) => truth === kind);
    if (known.length === 0) return [];
    const wrong = known.filter(isWrong).length;
    return [[name, shareInWords(wrong, known.length)]];
  });
}

function commonThreshold(rows: readonly ReportRow[]): string {
  const values = new Set(rows.map(({ threshold }) => threshold));
  const [value = null] = values;
  if (values.size > 1) return "one per category";
  return value === null ? "none" : value.toPrecision(4);
}

function failureList(failures: PageContent["failures"]): Html {
  return html`
    <section>
      <h2>Images that could not be used</h2>
      <ul>${failures.map(({ message }) => html`<li>${message}</li>`)}</ul>
    </section>
  `;
}

function scores({ rows, trainScores = [] }: PageContent): Html {
  const relative = rows.every(({ normalizedScore }) =>
    normalizedScore !== null
  );
  const of = (keep: (row: ReportRow) => boolean): number[] =>
    rows.filter(keep).map(reportScore);
  const labelled = rows.some(({ truth }) => truth !== undefined);
  const groups: ScoreGroup[] = labelled
    ? [
      {
        name: "good parts",
        kind: "normal",
        scores: of(({ truth }) => truth === "normal"),
      },
      {
        name: "defective parts",
        kind: "anomalous",
        scores: of(({ truth }) => truth === "anomalous"),
      },
      {
        name: "unknown",
        kind: "unknown",
        scores: of(({ truth }) => truth === undefined),
      },
    ]
    : [{ name: "images", kind: "unknown", scores: of(() => true) }];
  const axis = relative ? "score / threshold" : "score";
  const threshold = relative && rows.length > 0 ? 1 : NaN;
  return html`${
    histogram(groups.filter(({ scores }) => scores.length > 0), {
      threshold,
      axis,
    })
  }${
    trainScores.length > 0 &&
    html`<details><summary>Training images, each left out once</summary>${
      histogram(
        [{ name: "training images", kind: "normal", scores: trainScores }],
        { threshold, axis },
      )
    }</details>`
  }`;
}

function picturesIntroduction({ rows, images }: PageContent): Html {
  const threshold = images.length === 0
    ? undefined
    : images[0]!.row.threshold === null
    ? html`
      <p
        class="quiet">There is no threshold: map colours go from 0 to the highest value of all images, so that they say where a map is high, not whether that is anomalous.</p>
    `
    : html`
      <p
        class="scale"><span>Map colours, the same for all images of a model: 0</span><i style="background:linear-gradient(90deg,#000004,#420a68,#932667,#dd513a,#fca50a,#fcffa4)"></i><span>2 × threshold</span></p>
    `;
  const count = images.length === rows.length
    ? `All ${rows.length} images`
    : `The ${images.length} highest scores of ${rows.length} images`;
  return html`
    <p
      class="quiet">${count}. The score comes from the framed patch, frames in overlays are around what is above the maps' threshold, and what was not looked at is dark; beside the patch is the training patch that resembles it most.</p>${threshold}
  `;
}

function card(row: ReportRow, rank: number, drawn: Html): Html {
  const { name, label, score, normalizedScore, truth, group } = row;
  const numbers = normalizedScore !== null
    ? `${normalizedScore.toFixed(2)} × threshold, score ${score.toPrecision(4)}`
    : `score ${score.toPrecision(4)}`;
  return html`
    <article class="image"><header><h3>${rank}. ${name}</h3>
    <span class="badge ${label ?? "unknown"}">${verdictOf(
      row,
    )}</span><span class="quiet">${numbers}${truth !==
        undefined && `; really ${truth}`}${group !== undefined &&
      ` (${group})`}${row.mapDisagrees &&
      (label === "normal"
        ? "; its map has pixels above the maps' threshold all the same"
        : "; no pixel of its map is above the maps' threshold")}</span></header>
    ${drawn}${row.regions.length > 0 && regionTable(row)}</article>
  `;
}

/** Regions that are listed of an image. */
const LISTED_REGIONS = 20;

function regionTable({ name, regions }: ReportRow): Html {
  const listed = regions.slice(0, LISTED_REGIONS);
  const left = regions.length - listed.length;
  const count = regions.length === 1 ? "1 region" : `${regions.length} regions`;
  return html`<details><summary>${count} above the maps' threshold</summary>${
    drawTable({
      caption: `Regions of ${name}, in its pixels, the highest peak first${
        left > 0 ? `; ${left} more are not listed` : ""
      }`,
      head: ["x", "y", "Width", "Height", "Area", "Peak"],
      rows: listed.map(({ x, y, width, height, area, peak }) => [
        ...[x, y, width, height, area],
        Number(peak.toPrecision(4)),
      ]),
    })
  }</details>`;
}

function allImages(rows: readonly ReportRow[]): ReportTable {
  const labelled = rows.some(({ truth }) => truth !== undefined);
  return {
    caption: "The worst first",
    head: [
      "Image",
      "Verdict",
      ...(labelled ? ["Really"] : []),
      "Score",
      "Score / threshold",
      "ms",
    ],
    rows: rows.map((row) => [
      row.name,
      row.mapDisagrees ? `${verdictOf(row)}, map disagrees` : verdictOf(row),
      ...(labelled ? [row.truth ?? "unknown"] : []),
      Number(row.score.toPrecision(5)),
      row.normalizedScore === null
        ? "none"
        : Number(row.normalizedScore.toFixed(3)),
      Math.round(row.ms.total),
    ]),
  };
}
