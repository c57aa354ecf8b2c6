import type { Settings } from "../../core/mod.ts";
import type { ScoreReference } from "../../core/threshold/score_drift.ts";

/** One backbone of a model, and its memory bank. */
interface MemberInfo {
  /** Name of the backbone. */
  readonly backbone: string;
  /** SHA-256 of its ONNX file, hexadecimal. */
  readonly backbone_sha256: string;
  /** Rows of the memory bank. */
  readonly bank_rows: number;
  /** Features of a row. */
  readonly dim: number;
}

/** What clients are told of a model; keys are a contract: add, never rename. */
export interface ModelInfo {
  /** What `?model=` calls it. */
  readonly name: string;
  /** SHA-256 of its file, hexadecimal. */
  readonly sha256: string;
  /** Raw score from which on an image is anomalous; null: it has none. */
  readonly threshold: number | null;
  /** Raw score from which on it is uncertain; null: there is no such band. */
  readonly uncertain_from: number | null;
  /** Pixels of a region that counts in verdicts; null: regions have no say. */
  readonly min_area: number | null;
  /** What the backbone sees of an image. */
  readonly input: { readonly width: number; readonly height: number };
  /** Its backbones, each with a memory bank; one unless it is an ensemble. */
  readonly members: readonly MemberInfo[];
  /** Images that it was fitted from. */
  readonly images: number;
  /** What its training images scored; null: they are too few to say. */
  readonly training_scores: ScoreReference | null;
  /** Share of good parts that it promised to call anomalous; null: no promise. */
  readonly promised_false_alarms: number | null;
  /** Every setting of the fit. */
  readonly settings: Settings;
  /** Version of the program that fitted it. */
  readonly software_version: string;
}
