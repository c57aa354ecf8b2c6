import type { StoredBackbone } from "../features/backbone.ts";
import type { StoredProjection } from "../rows/projection.ts";

/** How the threshold of a model came about. */
export interface StoredThreshold {
  /** Raw score at and above which an image is anomalous. */
  readonly value: number;
  /**
   * Raw score at and above which an image is uncertain, below `value`; absent
   * where there is no such band.
   */
  readonly uncertainFrom?: number;
  /** The rule and its numbers, as plain JSON, e.g. quantile and factor. */
  readonly rule: Readonly<Record<string, unknown>>;
}

/** What a memory bank stands for. */
export interface StoredCoverage {
  /** Patches of the training images. */
  readonly patches: number;
  /**
   * No training patch is farther from its nearest bank row, in the space that
   * the rows were chosen in; absent where that is not known.
   */
  readonly radius?: number;
  /**
   * Which part of the images it is, `i/n`, or which parts, as in `1-3,5/8`;
   * absent for all of them.
   */
  readonly shard?: string;
  /** Of a part: SHA-256 of the list that its images are every n-th of. */
  readonly list?: string;
  /** Of a part: SHA-256 of everything that decided what it is. */
  readonly key?: string;
}

/**
 * Patches of some training images that a part of a fit carries along, so that
 * these images can be scored against the bank of all parts.
 */
export interface StoredSample {
  /** The images `[n]`, ascending; they count as `origin` does. */
  readonly images: Int32Array;
  /** Patches of an image, `[height, width]`. */
  readonly grid: readonly [number, number];
  /** The patches of each that are carried `[n, m]`, ascending. */
  readonly patches: Int32Array;
  /** Their features `[n, m, dim]`. */
  readonly features: Float32Array;
  /**
   * Scores of all their patches against the part's own bank, without the rows of
   * their folds, or what those do not exceed: `[n, height, width]`.
   */
  readonly scores: Float32Array;
}

/** Everything a model file holds. */
export interface StoredModel {
  /** Memory bank `[rows, dim]`, row-major, without padding. */
  readonly memoryBank: Float32Array;
  /** Rows of the memory bank. */
  readonly rows: number;
  /** Features a row has. */
  readonly dim: number;
  /** How the bank is stored in the file; in memory it is always float32. */
  readonly bankPrecision: "f32" | "f16";
  /** Image index, patch row and patch column of each bank row: `[rows, 3]`. */
  readonly origin: Int32Array;
  /**
   * Which view of its training image each bank row comes from, in the order of
   * the settings' rotations, flips and brightness: `[rows]`; absent where images
   * have no other views than themselves.
   */
  readonly originView?: Uint16Array | undefined;
  /** The projection of the features, when there is one. */
  readonly projection?: StoredProjection;
  /**
   * Scores of the training images, in their order, each against the bank as it
   * would have been chosen without the image's fold; NaN where one is not
   * known. Files before format version 3 left out the image's own rows alone,
   * which overstates its score.
   */
  readonly trainScores: Float32Array;
  /**
   * The largest pixels of their maps likewise; absent in files before format
   * version 3.
   */
  readonly trainMapMaxima?: Float32Array;
  /** Every setting of the fit, as plain JSON. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The seed of all random draws. */
  readonly seed: number;
  /** The network the features come from. */
  readonly backbone: StoredBackbone;
  /** File names of the training images; `origin` counts in this list. */
  readonly imageNames: readonly string[];
  /** Width and height of each training image in pixels: `[images, 2]`. */
  readonly imageSizes: Int32Array;
  /** The threshold, unless none could be found. */
  readonly threshold?: StoredThreshold;
  /**
   * The threshold of anomaly maps: its value is that of a pixel. Models of
   * earlier versions have none.
   */
  readonly mapThreshold?: StoredThreshold;
  /**
   * Pixels of the original image that a region above that threshold has at least
   * in an anomalous image; absent where regions have no say.
   */
  readonly minArea?: number;
  /** What the bank stands for; absent in files of older versions. */
  readonly coverage?: StoredCoverage;
  /** What a part of a fit carries along for the thresholds of the whole. */
  readonly sample?: StoredSample;
  /** Version of the program that made the model. */
  readonly softwareVersion: string;
}

/**
 * A model file that cannot be read, written or used.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { ModelFileError, readModelFile } from "@patchcore/webgpu/core";
 *
 * assertThrows(() => readModelFile(new Uint8Array(9)), ModelFileError);
 * ```
 */
export class ModelFileError extends Error {
  /** Tells this class of errors from others. */
  override readonly name = "ModelFileError";
}
