import type { Prediction } from "../core/mod.ts";
import type { WrittenMap } from "./prediction_files.ts";

/** What `predict --json` prints of an image. */
export interface ScoredRecord {
  readonly image_path: string;
  readonly pred_score: number;
  readonly pred_score_normalized: number | null;
  readonly pred_label: "normal" | "anomalous";
  readonly threshold: number | null;
  readonly worst_patch: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
    readonly nearest: {
      readonly image_path: string;
      readonly x: number;
      readonly y: number;
    };
  };
  readonly map: {
    readonly path: string | null;
    readonly width: number;
    readonly height: number;
    readonly min: number;
    readonly max: number;
    readonly threshold: number | null;
  };
  /**
   * The box that the network saw, in pixels of the original image; what lies
   * outside is not looked at.
   */
  readonly seen: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  };
  readonly ms: Prediction["ms"];
}

/** What `predict --json` prints of an image that could not be used. */
export interface FailureRecord {
  readonly image_path: string;
  readonly error: string;
}

/** One line of `predict --json`. */
export type PredictionRecord = ScoredRecord | FailureRecord;

/** The record of a prediction; the map's file, if one was written. */
export function predictionRecord(
  prediction: Omit<Prediction, "image">,
  written: WrittenMap | undefined,
): ScoredRecord {
  const { name, score, normalizedScore, label, threshold } = prediction;
  const { x, y, width, height, nearest } = prediction.worstPatch;
  const { geometry, data } = prediction.map;
  return {
    image_path: name,
    pred_score: score,
    pred_score_normalized: finite(normalizedScore),
    pred_label: label,
    threshold: finite(threshold),
    worst_patch: {
      x,
      y,
      width,
      height,
      nearest: {
        image_path: nearest.image,
        x: nearest.box.x,
        y: nearest.box.y,
      },
    },
    map: {
      path: written?.path ?? null,
      width: geometry.width,
      height: geometry.height,
      ...range(data),
      threshold: finite(prediction.map.threshold),
    },
    seen: {
      x: geometry.left,
      y: geometry.top,
      width: geometry.right - geometry.left,
      height: geometry.bottom - geometry.top,
    },
    ms: prediction.ms,
  };
}

/** The record of an image that could not be used. */
export function failureRecord(name: string, error: Error): FailureRecord {
  return { image_path: name, error: error.message };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function range(data: Float32Array): { min: number; max: number } {
  let [min, max] = [Infinity, -Infinity];
  for (const value of data) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}
