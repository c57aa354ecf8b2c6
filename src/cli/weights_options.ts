import { POSITIONS } from "../core/weights.ts";
import { SIZE_OPTION } from "./network_facts.ts";
import type { Options, Values } from "./options.ts";

/** The options of `weights`. */
export const WEIGHTS_OPTIONS = {
  until: {
    kind: "text",
    value: "LEVEL|blocks.N",
    help:
      "pull, convert: the last hierarchy level kept, layer1 to layer4, layer3 when not given; or the last block of a transformer, all when not given",
  },
  positions: {
    kind: "choice",
    choices: POSITIONS,
    default: "hub",
    help:
      "pull, convert: whose way of fitting a transformer's positions to the image: its publication's, transformers' or timm's. Banks of one do not fit another",
  },
  acceptLicence: {
    kind: "flag",
    help:
      "pull, convert: you have read the licence that the weights come under, and agree to it",
  },
  licence: {
    kind: "text",
    value: "FILE",
    help:
      "pull, convert: the licence's text, kept in the ONNX file, so that models may bundle it",
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
