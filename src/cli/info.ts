import {
  isEnsembleFile,
  readEnsembleFile,
} from "../core/model/ensemble_file.ts";
import { readModelFile } from "../core/model/model_file.ts";
import type { StoredEnsemble } from "../core/mod.ts";
import type { StoredModel } from "../core/model/stored_model.ts";
import {
  lessonFacts,
  lessonLines,
  modelLessons,
  trainScoresOf,
} from "./lessons.ts";
import { whyNoThreshold } from "./no_threshold.ts";
import type { Terminal } from "./terminal.ts";
import { Gpu, isTransformer, readOnnx, sha256 } from "../core/weights.ts";
import { type Command, defineCommand } from "./command.ts";
import { readFile } from "./disk.ts";
import { EXIT, UsageError } from "./exit.ts";
import { localBackbone, storedBackbone } from "./load_backbone.ts";
import {
  factLines,
  type Facts,
  networkFacts,
  SIZE_OPTION,
} from "./network_facts.ts";
import { namingModel } from "./model_loading.ts";
import { SETTINGS_OPTIONS, tilesOf } from "./settings_options.ts";
import { fitFacts, refitFacts } from "./planned_facts.ts";
import type { Context } from "./command.ts";

/** What rules of thresholds before held-out folds called their scores. */
const OLD_SCORES = "leave-one-image-out";

/** `info`: the adapter, a model or a network. */
export const info: Command = defineCommand({
  name: "info",
  summary: "Describe the adapter, a model or a network",
  operands: {
    name: "FILE",
    help: "a model (.safetensors) or a network (.onnx); none: the adapter",
    min: 0,
    max: 1,
  },
  options: {
    backbone: {
      kind: "text",
      value: "NAME|FILE.onnx",
      help:
        "a model's backbone, for the memory that is planned, when it is neither bundled nor in the weights folder nor beside the model",
    },
    size: SIZE_OPTION,
    images: {
      kind: "integer",
      min: 1,
      default: 200,
      help: "training images that a network's memory is planned for",
    },
    imageSize: {
      kind: "integer",
      min: 1,
      unit: "pixels",
      default: 1024,
      help: "their sides, before they are resized",
    },
    tile: { ...SETTINGS_OPTIONS.tile, help: "cut them into tiles of so many" },
    overlap: SETTINGS_OPTIONS.overlap,
    scale: SETTINGS_OPTIONS.scale,
    time: {
      kind: "flag",
      help:
        "tell how long a fit would take, too: its first batch is done for that, with a picture that is drawn",
    },
  },
  examples: [
    ["", "The adapter, its limits and features"],
    ["part.safetensors", "Settings, bank, threshold and backbone of a model"],
    ["resnet18.onnx", "Operators, taps and cost of a network"],
  ],
  async run([file], values, context): Promise<number> {
    const model = file === undefined || isNetwork(file)
      ? undefined
      : await storedModel(file);
    const { backbone, time: isTimed } = values;
    if (backbone !== undefined) refuseBackbone(model);
    const facts = file === undefined
      ? await adapterFacts()
      : isNetwork(file)
      ? await fileFacts(file, values, context)
      : await modelFacts(file, model!, { backbone, isTimed, context });
    context.terminal.record(facts);
    context.terminal.result(
      factLines(facts),
    );
    if (model !== undefined) tellThresholds(model, file!, context.terminal);
    return EXIT.ok;
  },
});

async function adapterFacts(): Promise<Facts> {
  using gpu = await Gpu.create();
  const { limits, features } = gpu.device;
  return {
    adapter: gpu.adapterName,
    is_cpu: gpu.isCpu,
    max_tensor_bytes: gpu.maxTensorBytes,
    max_buffer_bytes: limits.maxBufferSize,
    max_binding_bytes: limits.maxStorageBufferBindingSize,
    max_workgroup_invocations: limits.maxComputeInvocationsPerWorkgroup,
    max_workgroup_bytes: limits.maxComputeWorkgroupStorageSize,
    subgroup_size: gpu.subgroupSize,
    features: [...features].sort(),
  };
}

/** @throws {UsageError} If there is no model whose memory is planned with it. */
function refuseBackbone(read: ReadModel | undefined): void {
  if (read === undefined) {
    throw new UsageError("Cannot use --backbone without a model: give one");
  }
  if (!("members" in read.model)) return;
  throw new UsageError(
    "Cannot use --backbone with an ensemble: no memory is planned for it",
  );
}

function isNetwork(file: string): boolean {
  return /\.onnx$/i.test(file);
}

/** A model file, read. */
interface ReadModel {
  readonly bytes: Uint8Array;
  readonly model: StoredModel | StoredEnsemble;
}

async function storedModel(file: string): Promise<ReadModel> {
  const bytes = await readFile(file);
  return await namingModel(file, () =>
    Promise.resolve({
      bytes,
      model: isEnsembleFile(bytes)
        ? readEnsembleFile(bytes)
        : readModelFile(bytes),
    }));
}

/** What the training images say, and what a threshold of old lacks. */
function tellThresholds(
  { model }: ReadModel,
  file: string,
  terminal: Terminal,
): void {
  for (const line of lessonLines(modelLessons(model))) terminal.result(line);
  const { threshold } = model;
  const how = `"calibrate ${file} --good DIR" sets one with new good parts`;
  if (threshold === undefined) {
    const why = whyNoThreshold(
      trainScoresOf("members" in model ? model.members : [model]),
    );
    terminal.message(`The model has no threshold: ${why}; ${how}`);
  } else if (String(threshold.rule["scores"]).startsWith(OLD_SCORES)) {
    terminal.message(
      `The threshold is one of an earlier version: it promises no share of false alarms, and misses defects where good parts are much alike; ${how}, a fit anew as well`,
    );
  }
}

async function modelFacts(
  file: string,
  { bytes, model }: ReadModel,
  { backbone: given, isTimed, context }: {
    readonly backbone: string | undefined;
    readonly isTimed: boolean;
    readonly context: Context;
  },
): Promise<Facts> {
  if ("members" in model) return ensembleFacts(file, model);
  const { backbone } = model;
  const openBackbone = async () => {
    if (given !== undefined) return await localBackbone(given);
    const { name, onnx } = backbone;
    return onnx === undefined
      ? await storedBackbone(backbone, file)
      : { name, bytes: onnx as Uint8Array<ArrayBuffer> };
  };
  return {
    model: file,
    ...factsOfModel(model),
    ...lessonFacts(modelLessons(model)),
    ...await refitFacts(bytes, { openBackbone, isTimed }, context.terminal),
  };
}

function ensembleFacts(file: string, model: StoredEnsemble): Facts {
  const { members, threshold, mapThreshold, softwareVersion } = model;
  return {
    model: file,
    threshold: threshold?.value ?? null,
    uncertain_from: threshold?.uncertainFrom ?? null,
    map_threshold: mapThreshold?.value ?? null,
    min_area: model.minArea ?? null,
    threshold_rule: threshold?.rule ?? null,
    images: members[0]!.imageNames.length,
    members: members.map(factsOfModel),
    ...lessonFacts(modelLessons(model)),
    software_version: softwareVersion,
  };
}

function factsOfModel(model: StoredModel): Facts {
  const { backbone, threshold, mapThreshold } = model;
  return {
    bank_rows: model.rows,
    dim: model.dim,
    bank_precision: model.bankPrecision,
    images: model.imageNames.length,
    patches: model.coverage?.patches ?? null,
    coreset_radius_bound: model.coverage?.radius ?? null,
    ...(model.coverage?.shard && { shard: model.coverage.shard }),
    threshold: threshold?.value ?? null,
    uncertain_from: threshold?.uncertainFrom ?? null,
    threshold_rule: threshold?.rule ?? null,
    map_threshold: mapThreshold?.value ?? null,
    min_area: model.minArea ?? null,
    backbone: backbone.name,
    backbone_sha256: backbone.sha256,
    ...(backbone.positions !== undefined && {
      backbone_positions: backbone.positions,
    }),
    bundled: backbone.onnx !== undefined,
    settings: model.settings,
    seed: model.seed,
    software_version: model.softwareVersion,
  };
}

async function fileFacts(
  file: string,
  { size, images: count, imageSize, time: isTimed, ...cut }: {
    readonly size: number;
    readonly images: number;
    readonly imageSize: number;
    readonly time: boolean;
    readonly tile?: number | undefined;
    readonly overlap?: number | undefined;
    readonly scale?: number | undefined;
  },
  context: Context,
): Promise<Facts> {
  const tiles = tilesOf({ tile: undefined, ...cut });
  const backbone = await localBackbone(file);
  const { bytes, readExternal } = backbone;
  const graph = await readOnnx(bytes, readExternal ? { readExternal } : {});
  const hasBlocks = isTransformer(graph);
  return {
    network: file,
    sha256: await sha256(bytes),
    ...networkFacts(graph, [1, 3, size, size]),
    ...await fitFacts({
      backbone,
      settings: {
        ...(hasBlocks && { preset: "dino" }),
        ...(tiles !== undefined
          ? { tiles }
          : hasBlocks
          ? { resize: size }
          : { resize: Math.ceil(size * 8 / 7), crop: size }),
      },
      images: { count, width: imageSize, height: imageSize },
      isTimed,
    }, context.terminal),
  };
}
