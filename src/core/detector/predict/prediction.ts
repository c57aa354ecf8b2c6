import type { Pixels } from "../../images/pixels.ts";
import type { CropGeometry } from "../../images/resize_plan.ts";
import type { Label } from "../../score/verdict.ts";

/** A rectangle of the original image, in pixels. */
export interface Box {
  /** Left edge. */
  readonly x: number;
  /** Top edge. */
  readonly y: number;
  /** Extent to the right. */
  readonly width: number;
  /** Extent downwards. */
  readonly height: number;
}

/** The training patch that a patch was compared with. */
export interface NearestPatch {
  /** Name of the training image. */
  readonly image: string;
  /** The patch in that image. */
  readonly box: Box;
  /**
   * The view of it that the patch is of, such as `rotated by 45°`; the box is
   * where that patch lies in the image itself. Absent for the image itself.
   */
  readonly view?: string;
}

/** The patch that the image score comes from. */
export interface WorstPatch extends Box {
  /** The nearest patch of the memory bank. */
  readonly nearest: NearestPatch;
}

/** An anomaly map over what the backbone saw of the image. */
export interface AnomalyMap {
  /** Columns. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** Scores, row by row; NaN where nothing is inspected (setting `region`). */
  readonly data: Float32Array;
  /** How many pixels are not inspected, 0 by default. */
  readonly unseen?: number;
  /**
   * Pixels of the original image that a region above the threshold has at least
   * in an anomalous image; absent where regions have no say.
   */
  readonly minArea?: number;
  /**
   * From this value on a pixel is anomalous: what no pixel of a good part's
   * map should reach; the image threshold where the model has none for maps,
   * `null` where it has none at all.
   */
  readonly threshold: number | null;
  /** Where the map lies in the original image. */
  readonly geometry: CropGeometry;
}

/** Milliseconds that one image took; `null` where the adapter cannot tell. */
export interface PredictionTimes {
  /** Reading and decoding. */
  readonly decode: number;
  /** Backbone, on the GPU. */
  readonly trunk: number | null;
  /** Patch features, on the GPU. */
  readonly patches: number | null;
  /** Search and scores, on the GPU. */
  readonly search: number | null;
  /** Anomaly map, on the GPU. */
  readonly map: number | null;
  /** All of it on the clock, transfers included; its share of a batch. */
  readonly total: number;
}

/** What is known of one image. */
export interface Prediction {
  /** Name of the image. */
  readonly name: string;
  /** The image as it was decoded. */
  readonly image: Pixels;
  /** Raw image score: a distance. */
  readonly score: number;
  /**
   * Score / threshold: 1 is at the threshold; never clamped; `null` where there
   * is no threshold.
   */
  readonly normalizedScore: number | null;
  /**
   * `"anomalous"` from the threshold on, `"uncertain"` in the band below it,
   * where there is one, and where a least area of regions is set and score and
   * map disagree; `null` where there is no threshold.
   */
  readonly label: Label | null;
  /** Raw score at and above which it is anomalous; `null` for none. */
  readonly threshold: number | null;
  /** Raw score at and above which it is uncertain; `null` for no such band. */
  readonly uncertainFrom: number | null;
  /** The patch that the score comes from. */
  readonly worstPatch: WorstPatch;
  /** The anomaly map. */
  readonly map: AnomalyMap;
  /** Time taken. */
  readonly ms: PredictionTimes;
}

/**
 * The box of a patch in the original image.
 *
 * @param index Row · grid width + column.
 * @param grid Patch grid, `[height, width]`.
 * @param geometry Where the grid lies in the original image.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { patchBox } from "@patchcore/webgpu/core";
 *
 * // The second patch of a grid of 4 × 4 over all of 64 × 64 pixels.
 * const geometry = { left: 0, top: 0, right: 64, bottom: 64 };
 * assertEquals(patchBox(1, [4, 4], geometry), {
 *   x: 16,
 *   y: 0,
 *   width: 16,
 *   height: 16,
 * });
 * ```
 */
export function patchBox(
  index: number,
  [gridHeight, gridWidth]: readonly [number, number],
  { left, top, right, bottom }: Omit<CropGeometry, "width" | "height">,
): Box {
  const row = Math.floor(index / gridWidth);
  const column = index - row * gridWidth;
  const width = (right - left) / gridWidth;
  const height = (bottom - top) / gridHeight;
  return { x: left + column * width, y: top + row * height, width, height };
}
