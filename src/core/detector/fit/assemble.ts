import type { Gpu } from "../../../gpu/mod.ts";
import type { MemoryBank } from "../../bank/memory_bank.ts";
import type { Projection } from "../../rows/projection.ts";
import type { StoredBackbone } from "../../features/backbone.ts";
import type {
  StoredCoverage,
  StoredModel,
  StoredThreshold,
} from "../../model/stored_model.ts";
import type { Settings } from "../../settings/settings.ts";
import { VERSION } from "../../settings/version.ts";

/** What a model is made of. */
export interface ModelParts {
  /** The memory bank. */
  readonly bank: MemoryBank;
  /** What its rows were chosen with, if anything. */
  readonly projection: Projection | undefined;
  /** What it stands for. */
  readonly coverage: StoredCoverage;
  /** Names of the training images. */
  readonly names: readonly string[];
  /** Width and height of each in pixels. */
  readonly sizes: Int32Array<ArrayBuffer>;
  /** Leave-one-image-out score of each; 0 where it is not known. */
  readonly scores: Float32Array<ArrayBuffer>;
  /** The threshold, if there is one. */
  readonly threshold: StoredThreshold | undefined;
  /** The threshold of anomaly maps, if there is one. */
  readonly mapThreshold: StoredThreshold | undefined;
  /** Every switch of the method. */
  readonly settings: Settings;
  /** The network. */
  readonly backbone: StoredBackbone;
}

/** Reads the bank back and puts a model together. */
export async function assembleModel(
  gpu: Gpu,
  parts: ModelParts,
): Promise<StoredModel> {
  const { bank, projection, threshold, mapThreshold, settings } = parts;
  return {
    memoryBank: await bank.download(gpu),
    rows: bank.rows.rows,
    dim: bank.dim,
    bankPrecision: "f32",
    origin: bank.origin,
    ...(projection && {
      projection: {
        rows: projection.outputs,
        columns: projection.inputs,
        data: projection.matrix,
      },
    }),
    trainScores: parts.scores,
    settings: { ...settings },
    seed: settings.seed,
    backbone: parts.backbone,
    imageNames: parts.names,
    imageSizes: parts.sizes,
    ...(threshold && { threshold }),
    ...(mapThreshold && { mapThreshold }),
    coverage: parts.coverage,
    softwareVersion: VERSION,
  };
}
