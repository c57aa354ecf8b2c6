import type { PresetName, Settings } from "./settings.ts";

/** The preset used when none is named. */
export const DEFAULT_PRESET: PresetName = "paper";

const PAPER: Settings = {
  resize: 256,
  square: false,
  crop: 224,
  layers: ["layer2", "layer3"],
  patchSize: 3,
  stride: 1,
  layerDim: 1024,
  dim: 1024,
  merge: "bilinear",
  coreset: {
    method: "greedy",
    ratio: 0.1,
    maxBank: null,
    projection: { kind: "linear", dim: 128 },
    start: "random",
  },
  distance: "euclidean",
  neighbours: 1,
  reweight: 9,
  map: { interpolation: "bilinear", sigma: 4, border: "symmetric" },
  seed: 0,
  threshold: {
    falseAlarms: 0.05,
    quantile: null,
    mapQuantile: null,
    factor: 1,
  },
};

/**
 * Settings by name. `paper`: Roth et al. 2022 with Eq. 6 and Eq. 7;
 * `reference`: amazon-science/patchcore-inspection as it made its published
 * numbers; `anomalib`: anomalib 2.
 */
export const PRESETS: Readonly<Record<PresetName, Settings>> = {
  paper: PAPER,
  reference: {
    ...PAPER,
    coreset: { ...PAPER.coreset, start: "mean-of-10" },
    distance: "squared",
    reweight: 0,
  },
  anomalib: {
    ...PAPER,
    square: true,
    crop: null,
    layerDim: "channels",
    dim: "concat",
    coreset: { ...PAPER.coreset, projection: { kind: "sparse", eps: 0.9 } },
    map: { interpolation: "nearest", sigma: 4, border: "reflect" },
  },
};
