import type { Options, Values } from "./options.ts";
import { SETTINGS_OPTIONS } from "./settings_options.ts";

/** Options of `evaluate`. */
export const EVALUATE_OPTIONS = {
  model: {
    kind: "text",
    value: "M.safetensors",
    help: "evaluate this model instead of fitting one",
  },
  category: {
    kind: "list",
    value: "NAME,…",
    fallback: "all",
    help: "categories of the datasets",
  },
  maskRule: {
    kind: "choice",
    choices: ["half", "reference"],
    default: "half",
    help:
      "anomalous pixels of a resized mask: half: at least 128 of 255; reference: only 255, as the published code has it",
  },
  shots: {
    kind: "list",
    value: "N,…",
    fallback: "all",
    help: "training images to fit, drawn at random",
  },
  seeds: {
    kind: "integer",
    min: 1,
    default: 1,
    help:
      "fits to average, with seeds from --seed on; gives standard deviations",
  },
  csv: {
    kind: "text",
    value: "FILE",
    help: "write the results as a table",
  },
  resume: {
    kind: "text",
    value: "FILE.jsonl",
    help:
      "keep finished categories here; those with the same images and settings are not run again",
  },
  verbose: {
    kind: "flag",
    help:
      "also measure how far patches are from the memory bank, and from one drawn at random",
  },
  ...SETTINGS_OPTIONS,
  batch: {
    kind: "integer",
    min: 1,
    unit: "images",
    default: 8,
    help: "how many images the GPU works on at once",
  },
  allowRandom: {
    kind: "flag",
    help: "accept a backbone with random weights, for tests and benches",
  },
  overwrite: { kind: "flag", help: "replace an existing --csv file" },
} as const satisfies Options;

/** Values of {@linkcode EVALUATE_OPTIONS}. */
export type EvaluateValues = Values<typeof EVALUATE_OPTIONS>;
