import { LIMITS } from "../core/settings/limits.ts";
import { UsageError } from "./exit.ts";
import { LAYOUT_OPTIONS } from "./layout_options.ts";
import { flagName, type Options, type Values } from "./options.ts";
import { MAX_PIXELS_OPTION } from "./read_pixels.ts";
import { GROUP_BY_OPTION, SETTINGS_OPTIONS } from "./settings_options.ts";
import { THRESHOLD_OPTIONS } from "./threshold_options.ts";
import { AUTOTUNE_OPTION } from "./tuning_store.ts";

/** Options of `evaluate`. */
export const EVALUATE_OPTIONS = {
  model: {
    kind: "text",
    value: "M.safetensors",
    help: "evaluate this model instead of fitting one",
  },
  ...THRESHOLD_OPTIONS,
  ...LAYOUT_OPTIONS,
  category: {
    kind: "list",
    value: "NAME,…",
    fallback: "all",
    help: "categories of the datasets",
  },
  method: {
    kind: "choice",
    choices: ["patchcore", "spade", "padim"],
    default: "patchcore",
    help: "what is fitted; SPADE and PaDiM take layers 1 to 3 by default",
  },
  maskRule: {
    kind: "choice",
    choices: ["half", "reference"],
    default: "half",
    help:
      "anomalous pixels of a resized mask: half: at least 128 of 255; reference: only 255, as the published code has it; masks of 0 and 1 or of class numbers count wherever they are not 0",
  },
  shots: {
    kind: "list",
    value: "N,…",
    fallback: "all",
    help: "training images to fit",
  },
  draw: {
    kind: "choice",
    choices: ["random", "in-order"],
    fallback: "random; in-order with anomalydino",
    help:
      "which images --shots takes: drawn at random, or the first ones, with seed s those from s times N on",
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
  report: {
    kind: "text",
    value: "FILE.html",
    help:
      "write a page with the results, curves and the worst images with pictures",
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
  groupBy: GROUP_BY_OPTION,
  subsample: {
    ...SETTINGS_OPTIONS.subsample,
    choices: [...SETTINGS_OPTIONS.subsample.choices, "proxies"],
    help: "how the memory bank is chosen; proxies are learned (paper, Eq. 8)",
  },
  dim: {
    ...SETTINGS_OPTIONS.dim,
    help:
      "dimensions of a patch feature; with padim, those kept at random (550, or 100 of at most 448)",
  },
  search: {
    kind: "choice",
    choices: ["exact", "ivfpq"],
    default: "exact",
    help: "how neighbours are found; ivfpq is approximate, its recall is told",
  },
  nprobe: {
    kind: "integer",
    min: 1,
    unit: "lists",
    fallback: "1",
    help: "of an ivfpq index, how many each patch is looked for in",
  },
  ensembleNorm: {
    kind: "choice",
    choices: ["train", "test"],
    default: "train",
    help:
      "with several backbones, what their scores are scaled by before they are averaged: the training images, or the test set as in the published code",
  },
  maxPixels: MAX_PIXELS_OPTION,
  batch: {
    kind: "integer",
    min: 1,
    max: LIMITS.batch,
    unit: "images",
    default: 8,
    help:
      "how many images or tiles the GPU works on at once, or fewer where that is more than it takes",
  },
  noAutotune: AUTOTUNE_OPTION,
  allowRandom: {
    kind: "flag",
    help: "accept a backbone with random weights, for tests and benches",
  },
  overwrite: {
    kind: "flag",
    help: "replace an existing --csv or --report file",
  },
} as const satisfies Options;

/** The command line of `evaluate`, as it was read. */
export type EvaluateValues = Values<typeof EVALUATE_OPTIONS>;

type Key = keyof EvaluateValues;

/** What only a fit can follow. */
const FITTING: readonly Key[] = [
  ...Object.keys(SETTINGS_OPTIONS).filter((key) => key !== "backbone") as Key[],
  "groupBy",
  "shots",
  "draw",
  "seeds",
  "verbose",
  "method",
  "search",
  "nprobe",
  "ensembleNorm",
];

/** What only one backbone can do. */
const SINGLE: readonly Key[] = ["method", "search", "verbose"];

/** What only PatchCore has. */
const PATCHCORE: readonly Key[] = [
  "tile",
  "overlap",
  "scale",
  "tileBanks",
  "coreset",
  "maxBank",
  "subsample",
  "patchSize",
  "stride",
  "distance",
  "score",
  "foreground",
  "morphology",
  "rotations",
  "augment",
  "search",
  "nprobe",
  "verbose",
  "roi",
  "ignore",
  "falseAlarms",
  "groupBy",
  "thresholdQuantile",
  "thresholdFactor",
  "mapQuantile",
];

/**
 * Refuses what only a fit can follow, because a stored model is evaluated.
 *
 * @throws {UsageError} Naming the first such option.
 */
export function refuseFitting(values: EvaluateValues): void {
  refuse(values, FITTING, "with --model: the model was fitted already");
}

/**
 * Refuses what only a stored model can follow, because one is fitted.
 *
 * @throws {UsageError} Naming the first such option.
 */
export function refuseStored(values: EvaluateValues): void {
  refuse(
    values,
    Object.keys(THRESHOLD_OPTIONS) as Key[],
    "without --model: a fit sets its own",
  );
}

/**
 * Refuses options that the chosen method or search would ignore.
 *
 * @throws {UsageError} Naming the first such option.
 */
export function refuseUnused(values: EvaluateValues): void {
  const { method, search } = values;
  if (values.shots === undefined) {
    refuse(values, ["draw"], "without --shots: all images are taken");
  }
  if (method !== "patchcore") {
    refuse(values, PATCHCORE, `with --method ${method}: it is PatchCore's`);
  }
  if (method === "spade" || (method === "padim" && values.dim === "concat")) {
    refuse(values, ["dim"], `with --method ${method}: it keeps them all`);
  }
  if ((values.backbone?.length ?? 1) > 1) {
    const why = "with several backbones: an ensemble has PatchCore's own parts";
    refuse(values, SINGLE, why);
    if (values.subsample === "proxies") {
      refuse(values, ["subsample"], why);
    }
  } else {
    refuse(values, ["ensembleNorm"], "with one backbone: there is no ensemble");
  }
  if (search === "exact") {
    refuse(values, ["nprobe"], "with an exact search: give --search ivfpq");
  }
}

function refuse(
  values: EvaluateValues,
  keys: readonly Key[],
  why: string,
): void {
  const option = keys.find((key) => isGiven(key, values[key]));
  if (option === undefined) return;
  throw new UsageError(`Cannot use --${flagName(option)} ${why}`);
}

function isGiven(key: Key, value: unknown): boolean {
  const options: Options = EVALUATE_OPTIONS;
  const option = options[key];
  if (option === undefined) return false;
  const absent = option.kind === "flag"
    ? false
    : "default" in option
    ? option.default
    : undefined;
  return value !== absent;
}
