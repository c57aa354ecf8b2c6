import {
  type DefectRegion,
  defectRegions,
  type Prediction,
} from "../core/mod.ts";
import { mapScale } from "../core/images/overlay.ts";
import { rangeOf } from "../core/score/min_max_scale.ts";
import { type Label, mapDisagrees } from "../core/score/verdict.ts";
import type { WrittenMap } from "./prediction_files.ts";

/** What `predict --json` prints of an image. */
export interface ScoredRecord {
  readonly image_path: string;
  readonly pred_score: number;
  readonly pred_score_normalized: number | null;
  readonly pred_label: Label | null;
  readonly threshold: number | null;
  /** Score from which on it is uncertain; null where there is no such band. */
  readonly uncertain_from: number | null;
  readonly worst_patch: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
    readonly nearest: {
      readonly image_path: string;
      readonly x: number;
      readonly y: number;
      /** The view of that image, where it is another than the image itself. */
      readonly view?: string;
    };
  };
  readonly map: {
    readonly path: string | null;
    readonly width: number;
    readonly height: number;
    readonly min: number;
    readonly max: number;
    readonly threshold: number | null;
    /**
     * What the colours and greys of pictures go from and to: the same for all
     * images of a model, or, where it has no threshold, up to the image's own
     * highest value.
     */
    readonly scale: {
      readonly min: number;
      readonly max: number;
      readonly of: "model" | "image";
    };
    /** Whether it contradicts the verdict. */
    readonly disagrees: boolean;
    /**
     * Pixels of a region that counts in the verdict; null where regions have no
     * say.
     */
    readonly min_area: number | null;
  };
  /**
   * Connected regions above the map's threshold, the highest peak first; none
   * where the model has no threshold.
   */
  readonly regions: readonly RegionRecord[];
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

/** A region of an image above its map's threshold, in pixels of the image. */
export interface RegionRecord extends Omit<DefectRegion, "peakX" | "peakY"> {
  /** Where the largest value of the map in it is. */
  readonly peak_x: number;
  readonly peak_y: number;
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
  const { uncertainFrom } = prediction;
  const { x, y, width, height, nearest } = prediction.worstPatch;
  const { geometry, data, threshold: limit, minArea } = prediction.map;
  const range = rangeOf(data);
  return {
    image_path: name,
    pred_score: score,
    pred_score_normalized: normalizedScore,
    pred_label: label,
    threshold,
    uncertain_from: uncertainFrom,
    worst_patch: {
      x,
      y,
      width,
      height,
      nearest: {
        image_path: nearest.image,
        x: nearest.box.x,
        y: nearest.box.y,
        ...(nearest.view !== undefined && { view: nearest.view }),
      },
    },
    map: {
      path: written?.path ?? null,
      width: geometry.width,
      height: geometry.height,
      ...range,
      threshold: limit,
      scale: {
        ...mapScale(limit, range.max),
        of: limit !== null && limit > 0 ? "model" : "image",
      },
      disagrees: mapDisagrees({
        ...{ label, highest: range.max, threshold: limit, minArea },
      }),
      min_area: minArea ?? null,
    },
    regions: defectRegions(prediction.map).map(
      ({ peakX, peakY, contour, ...region }) => ({
        ...region,
        ...{ peak_x: peakX, peak_y: peakY, contour },
      }),
    ),
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
