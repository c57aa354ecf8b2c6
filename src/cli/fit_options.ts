import type { Bundling } from "../core/mod.ts";
import { LIMITS } from "../core/settings/limits.ts";
import { UsageError } from "./exit.ts";
import { LAYOUT_OPTIONS } from "./layout_options.ts";
import { DEMO_BACKBONE } from "./load_backbone.ts";
import { MEMORY_OPTION } from "./memory.ts";
import { PRECISION_OPTION } from "./model_loading.ts";
import type { Options, Values } from "./options.ts";
import { MAX_PIXELS_OPTION } from "./read_pixels.ts";
import { GROUP_BY_OPTION, SETTINGS_OPTIONS } from "./settings_options.ts";
import { MIN_AREA_OPTION } from "./threshold_options.ts";
import { AUTOTUNE_OPTION } from "./tuning_store.ts";

/** How a model is written. */
export const WRITING_OPTIONS = {
  model: {
    kind: "text",
    value: "M.safetensors",
    required: true,
    help: "where the model goes",
  },
  bankPrecision: {
    kind: "choice",
    choices: ["f32", "f16"],
    default: "f32",
    help: "how the memory bank is stored",
  },
  overwrite: { kind: "flag", help: "replace an existing model" },
} as const satisfies Options;

const { model, ...writing } = WRITING_OPTIONS;

/** Options of `fit`. */
export const FIT_OPTIONS = {
  model,
  ...LAYOUT_OPTIONS,
  all: {
    kind: "flag",
    help:
      "take every image below a folder, also where the names of folders or the image itself say that it is no good part",
  },
  ...SETTINGS_OPTIONS,
  groupBy: GROUP_BY_OPTION,
  minArea: MIN_AREA_OPTION,
  dropOdd: {
    kind: "integer",
    value: "N",
    min: 1,
    unit: "images",
    words: ["auto"],
    fallback: "none",
    help:
      "fit again without the N training images that look most unlike the others, auto: those that look defective",
  },
  report: {
    kind: "text",
    value: "FILE.html",
    help:
      "write a page with the training images' scores and the oddest of them with pictures",
  },
  memory: MEMORY_OPTION,
  thresholdImages: {
    kind: "integer",
    min: 1,
    unit: "images",
    default: 1000,
    help:
      "how many images set the threshold when features do not fit in memory: drawn by the seed and extracted a second time",
  },
  append: {
    kind: "text",
    value: "OLD.safetensors",
    help:
      "add the images to this model: settings and backbone are its own, its images are not needed. They keep the scores they had, new images are scored against the new bank, and thresholds follow from both; rows that are dropped can make the old scores too low by as much as the covering radius",
  },
  shard: {
    kind: "text",
    value: "i/n|index=k/n|auto",
    help:
      "fit part i of n, every n-th image, and keep twice the rows: merge makes one model of all parts. i counts from 1, k from 0; auto: as an array task of Slurm or an indexed job of Kubernetes says. A part that is finished is left as it is, another one is replaced",
  },
  resume: {
    kind: "text",
    value: "FOLDER",
    help:
      "fit a part in steps and keep them here until it is written, so that a fit that was cut off goes on",
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
  precision: PRECISION_OPTION,
  noAutotune: AUTOTUNE_OPTION,
  bundle: {
    kind: "flag",
    help:
      "put the backbone into the model, so that one file is all; done by default where it has at most 32 MiB",
  },
  noBundle: {
    kind: "flag",
    help: "leave the backbone out of the model",
  },
  allowRandom: {
    kind: "flag",
    help: "accept a backbone with random weights, for tests and benches",
  },
  ...writing,
  profile: { kind: "flag", help: "print the GPU time of every kernel" },
} as const satisfies Options;

/** The command line of `fit`, as it was read. */
export type FitValues = Values<typeof FIT_OPTIONS>;

/**
 * Whether the model contains its backbones. Every copy of the program has `demo`.
 *
 * @throws {UsageError} If the command line says both.
 */
export function bundling(
  { backbone, bundle, noBundle }: Pick<
    FitValues,
    "backbone" | "bundle" | "noBundle"
  >,
): Bundling {
  if (bundle && noBundle) {
    throw new UsageError("Give either --bundle or --no-bundle");
  }
  if (bundle || noBundle) return bundle;
  return backbone?.every((name) => name === DEMO_BACKBONE) ? false : "small";
}
