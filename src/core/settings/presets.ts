import type { PresetName, Settings } from "./settings.ts";

/** The preset used when none is named. */
export const DEFAULT_PRESET: PresetName = "paper";

const PAPER: Settings = {
  resize: 256,
  square: false,
  crop: 224,
  multiple: 1,
  resample: "bilinear",
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
  topShare: null,
  foreground: { mask: "off", morphology: "grid", threshold: 10 },
  augment: { rotations: 1, flips: false, brightness: 0 },
  map: { interpolation: "bilinear", sigma: 4, border: "symmetric" },
  seed: 0,
  threshold: {
    falseAlarms: 0.05,
    quantile: null,
    mapQuantile: null,
    factor: 1,
  },
};

/** Patches of a transformer as they are, compared by their angles. */
const DINO: Settings = {
  ...PAPER,
  resize: 448,
  crop: null,
  multiple: "patch",
  resample: "bicubic",
  layers: ["last"],
  patchSize: 1,
  layerDim: "channels",
  dim: "concat",
  distance: "cosine",
};

/** Every patch is kept. */
const NO_CORESET: Settings["coreset"] = {
  ...PAPER.coreset,
  method: "none",
  ratio: 1,
};

/**
 * Settings by name. `paper`: Roth et al. 2022 with Eq. 6 and Eq. 7;
 * `reference`: amazon-science/patchcore-inspection as it made its published
 * numbers; `anomalib`: anomalib 2; `anomalydino`: Damm et al. 2025, for a few
 * images and a DINOv2; `dino`: the paper's coreset, weights and thresholds on the
 * same features.
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
  anomalydino: {
    ...DINO,
    coreset: NO_CORESET,
    reweight: 0,
    topShare: 0.01,
    foreground: { mask: "auto", morphology: "line", threshold: 10 },
    augment: { rotations: 8, flips: false, brightness: 0 },
  },
  dino: DINO,
};
