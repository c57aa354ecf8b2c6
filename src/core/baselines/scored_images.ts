import type { FeatureSettings } from "../features/bands.ts";
import type { MapSettings } from "../settings/settings.ts";

/** Scores and anomaly maps of some images. */
export interface ScoredImages {
  /** Image scores `[images]`. */
  readonly scores: Float32Array<ArrayBuffer>;
  /** Anomaly maps `[images, height, width]`. */
  readonly maps: Float32Array<ArrayBuffer>;
  /** Distances of the patches `[images, patches]`, before the map. */
  readonly distances: Float32Array<ArrayBuffer>;
}

/** Called with the steps done and the steps in all. */
export type Progress = (done: number, total: number) => void;

/** How SPADE and PaDiM make maps: bilinear, Gaussian σ = 4. */
export const BASELINE_MAP: MapSettings = {
  interpolation: "bilinear",
  sigma: 4,
  border: "symmetric",
};

/** Features of single feature pixels, layers concatenated, as PaDiM has them. */
export const PADIM_FEATURES: FeatureSettings = {
  patchSize: 1,
  stride: 1,
  layerDim: "channels",
  dim: "concat",
  merge: "nearest",
};

/** Features of single feature pixels, layers concatenated, as SPADE has them. */
export const SPADE_FEATURES: FeatureSettings = {
  ...PADIM_FEATURES,
  merge: "bilinear",
};

/** The largest value of each map. */
export function mapMaxima(
  maps: Float32Array,
  images: number,
): Float32Array<ArrayBuffer> {
  const pixels = maps.length / images;
  return Float32Array.from(
    { length: images },
    (_, i) =>
      maps.subarray(i * pixels, (i + 1) * pixels)
        .reduce((most, value) => Math.max(most, value), -Infinity),
  );
}
