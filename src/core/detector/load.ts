import type { Gpu } from "../../gpu/mod.ts";
import { MemoryBank, searchOf } from "../bank/memory_bank.ts";
import { ModelFileError, type StoredModel } from "../model/stored_model.ts";
import type { Settings } from "../settings/settings.ts";
import type { Backbone, BackboneFile } from "../features/backbone.ts";
import { resolveBackbone } from "../features/named_backbone.ts";
import type { LoadOptions } from "./options.ts";
import { FeatureExtractor } from "../features/extractor.ts";
import type { InspectorParts } from "./predict/inspector.ts";

/** What a stored model is used with. */
export interface ModelUse {
  /** The network it was fitted with. */
  readonly backbone: Backbone;
  /** Its settings. */
  readonly settings: Settings;
  /** Images of a batch. */
  readonly batch: number;
}

/** Puts a stored model on the GPU. */
export async function uploadModel(
  gpu: Gpu,
  model: StoredModel,
  { backbone, settings, batch }: ModelUse,
): Promise<InspectorParts> {
  const { memoryBank, dim, origin, imageSizes } = model;
  const rows = new Int32Array(origin);
  const bank = MemoryBank.upload(gpu, memoryBank, dim, rows);
  const [width, height] = imageSizes;
  const input = FeatureExtractor.inputSize({ width, height }, settings);
  const extractor = new FeatureExtractor(
    gpu,
    backbone,
    settings,
    input,
    batch,
  );
  const search = await searchOf(gpu, bank);
  return { model, bank, search, extractor };
}

/**
 * The backbone that a stored model is used with: the one that is shared or
 * given, the model's own, or the one where fit found it.
 *
 * @throws {ModelFileError} If there is none.
 */
export async function backboneOf(
  model: StoredModel,
  options: LoadOptions,
): Promise<Backbone | BackboneFile> {
  const { name, onnx, source = name } = model.backbone;
  const file = options.shared ?? await resolveBackbone(
    options.backbone ??
      (onnx ? { name, bytes: new Uint8Array(onnx) } : source),
  );
  if (file === undefined) {
    throw new ModelFileError(
      `Cannot load the model: it was fitted with backbone "${name}" and does not contain it; give that ONNX file`,
    );
  }
  return file;
}
