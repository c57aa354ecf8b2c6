import type { Syntax } from "../../src/cli/options.ts";

/** A syntax with one option of every kind. */
export const OPTIONS = {
  model: {
    kind: "text",
    value: "FILE",
    required: true,
    help: "model file to write",
  },
  preset: {
    kind: "choice",
    choices: ["paper", "reference", "anomalib"],
    default: "paper",
    help: "which published variant to follow",
  },
  layers: {
    kind: "list",
    value: "LAYER,…",
    fallback: "the preset's",
    help: "taps of the backbone",
  },
  maps: {
    kind: "list",
    value: "KIND,…",
    choices: ["npy", "png", "tiff"],
    help: "file types of the anomaly maps",
  },
  coreset: {
    kind: "number",
    value: "RATIO",
    min: 0,
    above: true,
    max: 1,
    default: 0.1,
    help: "share of the patches that is kept",
  },
  crop: {
    kind: "integer",
    min: 1,
    unit: "pixels",
    negatable: true,
    fallback: "the preset's",
    help: "sides of the centre crop",
  },
  maxBank: {
    kind: "integer",
    min: 1,
    words: ["none"],
    default: 100,
    help: "most rows of the memory bank",
  },
  failOnAnomaly: {
    kind: "flag",
    short: "f",
    help: "exit with 3 when an anomaly is found",
  },
  help: { kind: "flag", short: "h", help: "print this text" },
} as const;

/** A command with {@linkcode OPTIONS}. */
export const SYNTAX: Syntax<typeof OPTIONS> = {
  name: "fit",
  summary: "Learn what is normal",
  operands: { name: "IMAGES", help: "image files or folders", min: 1 },
  options: OPTIONS,
  examples: [
    ["parts/good --model parts.safetensors", "Learn from a folder"],
    ["a.png b.png --model m --coreset 0.01", "Keep 1 % of the patches"],
    ["bottle --model m --preset reference", "Learn a dataset's category"],
  ],
};
