import type { ReportCurve } from "./curves.ts";
import type { ReadTraining } from "./pictures.ts";

/** A table of a report. */
export interface ReportTable {
  /** What it shows. */
  readonly caption: string;
  /** Names of the columns. */
  readonly head: readonly string[];
  /** Cells; numbers and their texts are aligned to the right but for the first. */
  readonly rows: readonly (readonly (string | number)[])[];
}

/** What a report says beside what was predicted. */
export interface ReportFacts {
  /** The heading. */
  readonly title: string;
  /** Names and values: model, adapter, date and the like. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** The settings, as plain JSON. */
  readonly settings: object;
  /** Leave-one-image-out scores of the training images / threshold. */
  readonly trainScores?: readonly number[];
  /** Curves, such as image ROC, pixel ROC, per-region overlap. */
  readonly curves?: readonly ReportCurve[];
  /** More tables, such as metrics of each category. */
  readonly tables?: readonly ReportTable[];
  /** Gives training images; without it there are no nearest patches. */
  readonly readTraining?: ReadTraining;
}
