import type { Prediction } from "../detector/predict/prediction.ts";
import { mapScale } from "../images/overlay.ts";
import { defectRegions } from "../score/defect_regions.ts";
import { rangeOf } from "../score/min_max_scale.ts";
import { mapDisagrees } from "../score/verdict.ts";
import type { ReportFacts } from "./facts.ts";
import { renderPage } from "./page.ts";
import { Pictures } from "./pictures.ts";
import { type ReportRow, type ReportTruth, worstFirst } from "./row.ts";

/** How much a report shows. */
export interface ReportOptions {
  /** How many images are pictured, the worst; 40 by default, each about 50 kB. */
  readonly pictures?: number;
  /** Most pixels of a picture's sides, 200 by default. */
  readonly side?: number;
}

interface Pictured {
  readonly row: ReportRow;
  readonly mapThreshold: number | null;
  readonly pictures: Pictures;
}

const PICTURES = 40;
const SIDE = 200;

/**
 * Gathers predictions one at a time and makes a report of them: one HTML file
 * that needs nothing else. Of the worst images small copies are kept, of the
 * others the numbers, so that memory does not grow with their size.
 *
 * @example Usage
 * ```ts ignore
 * const report = new Report();
 * for await (const prediction of detector.predict(images)) {
 *   report.add(prediction);
 * }
 * const page = await report.render({ title: "Bottles", facts: [], settings });
 * ```
 */
export class Report {
  readonly #limit: number;
  readonly #side: number;
  readonly #rows: ReportRow[] = [];
  readonly #failures: { name: string; message: string }[] = [];
  #pictured: Pictured[] = [];
  #highest = 0;

  /** @throws {RangeError} If a number of pictures or pixels is not allowed. */
  constructor({ pictures = PICTURES, side = SIDE }: ReportOptions = {}) {
    if (!Number.isInteger(pictures) || pictures < 0) {
      throw new RangeError(
        `Cannot show ${pictures} pictures: expected an integer from 0 up`,
      );
    }
    if (!Number.isInteger(side) || side < 16) {
      throw new RangeError(
        `Cannot show pictures of ${side} pixels: expected an integer from 16 up`,
      );
    }
    this.#limit = pictures;
    this.#side = side;
  }

  /** All images so far, in the order they were added. */
  get rows(): readonly ReportRow[] {
    return this.#rows;
  }

  /** Adds an image. */
  add(prediction: Prediction, truth: ReportTruth = {}): void {
    const { name, score, normalizedScore, label, threshold, ms } = prediction;
    const { max: highest } = rangeOf(prediction.map.data);
    const row: ReportRow = {
      ...truth,
      name,
      score,
      normalizedScore,
      label,
      threshold,
      mapDisagrees: mapDisagrees({
        label,
        highest,
        threshold: prediction.map.threshold,
        minArea: prediction.map.minArea,
      }),
      regions: defectRegions(prediction.map),
      ms,
    };
    this.#rows.push(row);
    this.#highest = Math.max(this.#highest, highest);
    const rank = this.#pictured.findIndex(({ row: other }) =>
      worstFirst(row, other) < 0
    );
    const position = rank < 0 ? this.#pictured.length : rank;
    if (position >= this.#limit) return;
    const pictures = new Pictures(prediction, this.#side);
    const mapThreshold = prediction.map.threshold;
    this.#pictured.splice(position, 0, { row, mapThreshold, pictures });
    this.#pictured.length = Math.min(this.#pictured.length, this.#limit);
  }

  /**
   * Adds an image of which the numbers alone are known, without pictures.
   *
   * @param highest The largest pixel of its map.
   */
  addRow(row: ReportRow, highest: number): void {
    this.#rows.push(row);
    this.#highest = Math.max(this.#highest, highest);
  }

  /** How many images are pictured at most. */
  get pictures(): number {
    return this.#limit;
  }

  /** Adds an image that could not be used. */
  addFailure(name: string, error: Error): void {
    this.#failures.push({ name, message: error.message });
  }

  /** The report: a whole HTML page as text. */
  async render(facts: ReportFacts): Promise<string> {
    const images = [];
    for (const { row, mapThreshold, pictures } of this.#pictured) {
      const scale = mapScale(mapThreshold, this.#highest);
      const drawn = await pictures.draw({
        regions: row.regions,
        scale,
        readTraining: facts.readTraining,
      });
      images.push({ row, drawn });
    }
    return renderPage({
      ...facts,
      rows: this.#rows.toSorted(worstFirst),
      failures: this.#failures,
      images,
    });
  }
}
