import type { Pixels } from "../images/pixels.ts";
import type { Lessons } from "../threshold/lessons.ts";
import type { ReportTable } from "./facts.ts";
import { histogram } from "./histogram.ts";
import { renderDocument } from "./document.ts";
import { type Html, html } from "./html.ts";
import { drawTable } from "./table.ts";
import { settingsText } from "./settings_text.ts";
import { dataAddress, thumbnail } from "./thumbnail.ts";

/** Most pixels of a picture's sides. */
const SIDE = 240;

/** An exponential tail that a threshold was set by. */
export interface FittedTail {
  /** The distance where it begins. */
  readonly from: number;
  /** The mean excess. */
  readonly scale: number;
  /** The share of images above its beginning. */
  readonly share: number;
}

/** What a report of a fit shows. */
export interface FitFacts {
  /** The heading. */
  readonly title: string;
  /** Names and values: model, adapter, date and the like. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** The settings, as plain JSON. */
  readonly settings: object;
  /** What the training images say, in sentences. */
  readonly lines: readonly string[];
  /** The same in numbers; its oddest images are pictured. */
  readonly lessons: Lessons;
  /** Distances of the training images, each held out. */
  readonly distances: readonly number[];
  /** The distance from which on a part is anomalous; NaN for none. */
  readonly threshold: number;
  /** The tail that the threshold was set by, if it was. */
  readonly tail?: FittedTail | undefined;
  /** Gives training images, as far as they are at hand. */
  readonly readTraining: (name: string) => Promise<Pixels | undefined>;
}

/** The report of a fit: one HTML file that needs nothing else. */
export async function renderFitReport(facts: FitFacts): Promise<string> {
  const { title, lines, lessons, distances, threshold, tail } = facts;
  const pictures = [];
  for (const image of lessons.oddest) pictures.push(await card(image, facts));
  const drawn = histogram(
    [{ name: "training images", kind: "normal", scores: distances }],
    {
      threshold,
      axis: "distance, each image held out",
      ...(tail && { density: densityOf(tail, distances.length) }),
    },
  );
  const main = html`
    <section>
      <h2>What the training images say</h2>
      <ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>
    </section>
    <section><h2>Scores</h2>
      ${drawn}
      <p class="quiet">${Number.isNaN(threshold)
        ? "There is no threshold: the model gives scores, but no verdicts."
        : tail === undefined
        ? "The threshold is a quantile of these distances; no tail was fitted."
        : "The line is the exponential tail that the threshold was set by."}</p>
    </section>
    <section id="images"><h2>The oddest training images</h2>
      ${pictures}
    </section>
    <section><h2>How it was made</h2>
      ${drawTable(factsTable(facts))}
      <details><summary>All settings</summary><pre tabindex="0">${settingsText(
        facts.settings,
      )}</pre></details>
    </section>
  `;
  return renderDocument(title, main);
}

/** How many of `images` the tail expects per unit of distance. */
function densityOf(
  { from, scale, share }: FittedTail,
  images: number,
): (distance: number) => number {
  return (distance) =>
    distance < from
      ? NaN
      : images * share / scale * Math.exp(-(distance - from) / scale);
}

async function card(
  { name, score, isOdd, counts, otherwise }: Lessons["oddest"][number],
  { readTraining }: FitFacts,
): Promise<Html> {
  const image = await readTraining(name);
  const small = image && thumbnail(image, SIDE);
  const change = otherwise === undefined
    ? ""
    : `; ${counts ? "without" : "with"} it the threshold would be ${
      otherwise.toPrecision(4)
    }`;
  return html`
    <article class="image"><header><h3>${name}</h3>
    ${isOdd &&
      html`
        <span class="badge anomalous">${counts
          ? "unlike the others"
          : "does not count"}</span>
      `}
    <span class="quiet">score ${score.toPrecision(4)}${change}</span></header>
    ${small === undefined
      ? html`<p class="quiet">The image cannot be read here.</p>`
      : html`
        <img src="${await dataAddress(
          small,
        )}" width="${small.width}" height="${small.height}"
          alt="${name}">
      `}</article>
  `;
}

function factsTable({ facts }: FitFacts): ReportTable {
  return { caption: "Facts", head: ["What", "Value"], rows: facts };
}
