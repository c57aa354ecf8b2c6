import type { Prediction } from "../detector/predict/prediction.ts";

/** What is known of an image beside its prediction. */
export interface ReportTruth {
  /** What the image really is, where that is known. */
  readonly truth?: "normal" | "anomalous";
  /** What images are put together by in the table, e.g. a kind of defect. */
  readonly group?: string;
}

/** What a report remembers of every image. */
export interface ReportRow extends ReportTruth {
  /** Name of the image. */
  readonly name: string;
  /** Raw score. */
  readonly score: number;
  /** Score / threshold; NaN without a threshold. */
  readonly normalizedScore: number;
  /** The verdict. */
  readonly label: "normal" | "anomalous";
  /** The model's threshold; NaN without one. */
  readonly threshold: number;
  /** Time taken. */
  readonly ms: Prediction["ms"];
}

/** Orders rows by what they are shown by, the highest first. */
export function worstFirst(a: ReportRow, b: ReportRow): number {
  return reportScore(b) - reportScore(a);
}

/** What images are compared by: in units of the threshold where there is one. */
export function reportScore({ normalizedScore, score }: ReportRow): number {
  return Number.isFinite(normalizedScore) ? normalizedScore : score;
}
