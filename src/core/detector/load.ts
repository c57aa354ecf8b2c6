import { MemoryBank, searchOf } from "../bank/memory_bank.ts";
import { ModelFileError, type StoredModel } from "../model/stored_model.ts";
import type { BankSearch } from "../search/search.ts";
import type { Settings } from "../settings/settings.ts";
import type { Backbone, BackboneFile } from "../features/backbone.ts";
import { resolveBackbone } from "../features/named_backbone.ts";
import type { LoadOptions } from "./options.ts";
import { FeatureExtractor } from "../features/extractor.ts";

/** A fitted model whose memory bank is on the GPU. */
export interface ModelOnGpu {
  /** Everything a model file holds. */
  readonly model: StoredModel;
  /** The memory bank. */
  readonly bank: MemoryBank;
  /** Finds neighbours in it. */
  readonly search: BankSearch;
  /** Turns images into features. */
  readonly extractor: FeatureExtractor;
}

/**
 * Puts a stored model on the GPU.
 *
 * @param backbone The network it was fitted with; it stays its owner's.
 * @param settings The model's settings.
 */
export async function uploadModel(
  backbone: Backbone,
  model: StoredModel,
  settings: Settings,
  batch: number,
): Promise<ModelOnGpu> {
  const { gpu } = backbone;
  const { memoryBank, dim, origin, imageSizes } = model;
  const rows = new Int32Array(origin);
  using owned = new DisposableStack();
  const bank = owned.use(MemoryBank.upload(gpu, memoryBank, dim, rows));
  const [width, height] = imageSizes;
  const size = { width, height };
  const extractor = owned.use(
    FeatureExtractor.forImage(gpu, backbone, settings, size, batch),
  );
  const search = await searchOf(gpu, bank);
  owned.move();
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
