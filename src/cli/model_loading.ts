import {
  type BackboneFile,
  Ensemble,
  ModelFileError,
  PatchCore,
  type StoredBackbone,
  type StoredModel,
} from "../core/mod.ts";
import {
  isEnsembleFile,
  readEnsembleFile,
} from "../core/model/ensemble_file.ts";
import { LIMITS } from "../core/settings/limits.ts";
import { readModelFile } from "../core/model/model_file.ts";
import type { Context } from "./command.ts";
import { readFile } from "./disk.ts";
import { UsageError } from "./exit.ts";
import type { Option } from "./options.ts";
import { localBackbone, storedBackbone } from "./load_backbone.ts";
import { tellCpuAdapter } from "./adapter_line.ts";
import { MAX_PIXELS_OPTION } from "./read_pixels.ts";
import { AUTOTUNE_OPTION, tuningStore } from "./tuning_store.ts";

/** How the backbone's weights are stored on the GPU. */
export const PRECISION_OPTION = {
  kind: "choice",
  choices: ["f32", "f16"],
  default: "f32",
  help: "how the backbone's weights are stored on the GPU",
} as const satisfies Option;

/** Options of commands that use a model. */
export const MODEL_OPTIONS = {
  backbone: {
    kind: "list",
    value: "NAME|FILE.onnx",
    whole: true,
    help:
      "the model's backbone, when it is neither bundled nor in the weights folder nor beside the model; of an ensemble all of them, in the order of the fit",
  },
  batch: {
    kind: "integer",
    min: 1,
    max: LIMITS.batch,
    unit: "images",
    fallback: "1; of models with tiles 8 tiles",
    help:
      "how many images or tiles the GPU works on at once, or fewer where that is more than it takes",
  },
  maxPixels: MAX_PIXELS_OPTION,
  precision: PRECISION_OPTION,
  noAutotune: AUTOTUNE_OPTION,
  profile: { kind: "flag", help: "print the GPU time of every kernel" },
} as const satisfies Readonly<Record<string, Option>>;

/** A fitted detector of one backbone or several. */
export type Detector = PatchCore | Ensemble;

/** What the file of a detector holds of each backbone. */
export function modelsOf(detector: Detector): readonly StoredModel[] {
  return detector instanceof Ensemble
    ? detector.model.members
    : [detector.model];
}

/** How a model is loaded. */
interface ModelLoading {
  /** Names or paths of its backbones; by default those of the fit. */
  readonly backbone: readonly string[] | undefined;
  /** Images or tiles of a batch; by default {@linkcode defaultBatch}. */
  readonly batch: number | undefined;
  /** Whether kernels are timed. */
  readonly profile: boolean;
  /** Whether the default kernels are kept. */
  readonly noAutotune: boolean;
  /** How the backbone's weights are stored. */
  readonly precision?: "f32" | "f16";
  /** GPU bytes that adding images may allocate. */
  readonly memoryBudget?: number;
  /** Images that set the threshold when their features do not fit in that. */
  readonly thresholdImages?: number;
}

/**
 * Loads a fitted detector; the backbone comes from the bundle or by its name.
 *
 * @throws {UsageError} If another number of backbones is named than it has.
 */
export async function loadDetector(
  path: string,
  values: ModelLoading,
  context: Context,
): Promise<Detector> {
  const bytes = await readFile(path);
  const detector = await namingModel(
    path,
    () => load(path, bytes, values, context),
  );
  tellCpuAdapter(detector.gpu, context.terminal);
  return detector;
}

/**
 * Does something with a model and names its file in what goes wrong.
 *
 * @throws {ModelFileError} With the path, instead of one without.
 */
export async function namingModel<T>(
  path: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof ModelFileError)) throw cause;
    const message = cause.message.replace(
      /^Cannot (read|load) the model/,
      (_, verb) => `Cannot ${verb} model "${path}"`,
    );
    const hint = /\.(onnx|pth|pt)$/i.test(path)
      ? "; this is the name of a network, which goes to --backbone: give the .safetensors file that fit wrote"
      : "";
    throw new ModelFileError(message + hint, { cause });
  }
}

async function load(
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
  values: ModelLoading,
  context: Context,
): Promise<Detector> {
  const { profile, precision } = values;
  const { memoryBudget, thresholdImages } = values;
  const batchOf = (model: Pick<StoredModel, "settings">): number =>
    values.batch ?? defaultBatch(model);
  const options = {
    profile,
    ...(precision && { precision }),
    ...(memoryBudget && { memoryBudget }),
    ...(thresholdImages && { thresholdImages }),
    ...tuningStore(values.noAutotune, context.terminal),
  };
  if (isEnsembleFile(bytes)) {
    const ensemble = readEnsembleFile(bytes);
    checkCount(values.backbone, ensemble.members.length);
    return await Ensemble.fromModel(ensemble, {
      ...options,
      batch: batchOf(ensemble.members[0]!),
      backbone: (stored, member) => find(stored, member),
    });
  }
  checkCount(values.backbone, 1);
  const model = readModelFile(bytes);
  const { backbone: stored, threshold, mapThreshold } = model;
  if (threshold !== undefined && mapThreshold === undefined) {
    context.terminal.message(
      `Model "${path}" has no threshold of its own for anomaly maps, as it was made by an earlier version: contours and masks use that of image scores, which maps seldom reach; fit again to have one`,
    );
  }
  const named = values.backbone !== undefined || stored.onnx === undefined;
  return await PatchCore.fromModel(model, {
    ...options,
    batch: batchOf(model),
    ...(named && { backbone: await find(stored, 0) }),
  });

  async function find(
    stored: StoredBackbone,
    member: number,
  ): Promise<BackboneFile> {
    const given = values.backbone?.[member];
    return given === undefined
      ? await storedBackbone(stored, path)
      : await localBackbone(given);
  }
}

/** Images of a batch of predictions, or tiles, unless another one is named. */
export function defaultBatch(
  { settings }: Pick<StoredModel, "settings">,
): number {
  return settings["tiles"] === undefined ? 1 : TILES;
}

const TILES = 8;

function checkCount(
  named: readonly string[] | undefined,
  members: number,
): void {
  if (named === undefined || named.length === members) return;
  throw new UsageError(
    `Cannot use --backbone ${named.length} times: the model has ${members} backbone${
      members === 1 ? "" : "s"
    }`,
  );
}
