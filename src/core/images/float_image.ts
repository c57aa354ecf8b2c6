/** One float a pixel: an anomaly map. NaN where nothing is known. */
export interface FloatImage {
  /** Columns. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** `[H, W]`. */
  readonly data: Float32Array;
}
