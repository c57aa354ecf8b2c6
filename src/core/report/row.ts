import type { Prediction } from "../detector/predict/prediction.ts";
import type { DefectRegion } from "../score/defect_regions.ts";
import type { Label } from "../score/verdict.ts";

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
  /** Score / threshold; `null` without a threshold. */
  readonly normalizedScore: number | null;
  /** The verdict; `null` without a threshold. */
  readonly label: Label | null;
  /** The model's threshold; `null` without one. */
  readonly threshold: number | null;
  /** Whether the map contradicts the verdict. */
  readonly mapDisagrees: boolean;
  /** Regions of the image above the maps' threshold. */
  readonly regions: readonly DefectRegion[];
  /** Time taken. */
  readonly ms: Prediction["ms"];
}

/** Orders rows by what they are shown by, the highest first. */
export function worstFirst(a: ReportRow, b: ReportRow): number {
  return reportScore(b) - reportScore(a);
}

/** What images are compared by: in units of the threshold where there is one. */
export function reportScore({ normalizedScore, score }: ReportRow): number {
  return normalizedScore ?? score;
}

/** Whether a verdict is wrong: an uncertain one is not, nor one of the unknown. */
export function isWrong({ truth, label }: ReportRow): boolean {
  return truth !== undefined && label !== null && label !== "uncertain" &&
    truth !== label;
}

/** A verdict in words. */
export function verdictOf({ label }: Pick<ReportRow, "label">): string {
  return label ?? "no verdict";
}
