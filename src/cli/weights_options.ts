import { LEVELS } from "../core/weights.ts";
import { SIZE_OPTION } from "./network_facts.ts";
import type { Options, Values } from "./options.ts";

/** The options of `weights`. */
export const WEIGHTS_OPTIONS = {
  until: {
    kind: "choice",
    choices: LEVELS,
    default: "layer3",
    help: "pull, convert: the last hierarchy level kept",
  },
  precision: {
    kind: "choice",
    choices: ["f32", "f16"],
    default: "f32",
    help: "pull, convert: how the weights are stored",
  },
  arch: {
    kind: "text",
    value: "NAME",
    help: "convert: the network, instead of telling it from the tensors",
  },
  out: {
    kind: "text",
    value: "FILE.onnx",
    help: "convert: where to write; beside the checkpoint when not given",
  },
  random: {
    kind: "integer",
    value: "SEED",
    min: 0,
    max: 2 ** 32 - 1,
    help:
      "convert: random weights instead of a checkpoint, for tests; needs --arch and --out",
  },
  overwrite: { kind: "flag", help: "convert: replace an existing file" },
  size: { ...SIZE_OPTION, help: `inspect: ${SIZE_OPTION.help}` },
  mirror: {
    kind: "text",
    value: "URL",
    help: "pull: a folder with the official files; also PATCHCORE_MIRROR",
  },
  timm: {
    kind: "flag",
    help: "pull: take timm's safetensors, whose SHA-256 nobody vouches for",
  },
  force: { kind: "flag", help: "pull: also what is there already" },
  keep: { kind: "flag", help: "pull: keep the official file as well" },
} as const satisfies Options;

/** The command line of `weights`, as it was read. */
export type WeightsValues = Values<typeof WEIGHTS_OPTIONS>;
