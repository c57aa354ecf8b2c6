import type { Gpu } from "../../gpu/mod.ts";
import { MemoryBank } from "../bank/memory_bank.ts";
import { placesOf } from "../bank/tile_origins.ts";
import { viewCount } from "../images/views.ts";
import { settingsFromJson } from "../settings/resolve_settings.ts";
import { ModelFileError, type StoredModel } from "../model/stored_model.ts";
import { BankSearch, foundByOnly } from "../search/search.ts";
import type { Settings } from "../settings/settings.ts";
import type { Backbone, BackboneFile } from "../features/backbone.ts";
import { resolveBackbone } from "../features/named_backbone.ts";
import type { LoadOptions } from "./options.ts";
import { FeatureExtractor } from "../features/extractor.ts";
import { inputSize, tileCounts } from "../images/tiles.ts";

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
 * The settings of a stored model, checked before anything is allocated.
 *
 * @throws {ModelFileError} If one is missing, unknown or not allowed.
 */
export function settingsOf(model: Pick<StoredModel, "settings">): Settings {
  try {
    return settingsFromJson(model.settings);
  } catch (cause) {
    if (!(cause instanceof TypeError || cause instanceof RangeError)) {
      throw cause;
    }
    throw new ModelFileError(`Cannot load the model: ${cause.message}`, {
      cause,
    });
  }
}

/**
 * Puts a stored model on the GPU.
 *
 * @param backbone The network it was fitted with; it stays its owner's.
 * @param settings The model's settings.
 * @throws {ModelFileError} If its bank holds other features than the network
 * gives with these settings, or patches that no training image has.
 */
export async function uploadModel(
  backbone: Backbone,
  model: StoredModel,
  settings: Settings,
  batch: number,
): Promise<ModelOnGpu> {
  const { gpu } = backbone;
  const { memoryBank, dim, origin, imageSizes } = model;
  checkViews(model, settings);
  const rows = new Int32Array(origin);
  const input = inputOf(imageSizes, settings);
  checkRegion(settings, input);
  using owned = new DisposableStack();
  const extractor = owned.use(
    FeatureExtractor.forMost(gpu, backbone, settings, input, batch),
  );
  checkFeatures(model, settings, extractor);
  const bank = owned.use(MemoryBank.upload(gpu, memoryBank, dim, rows));
  const search = await searchOf(gpu, bank, model, settings, extractor);
  owned.move();
  return { model, bank, search, extractor };
}

/**
 * Prepares a model's bank for predictions; with a bank for each place of tiles, a
 * query finds the rows of its own place alone.
 */
export async function searchOf(
  gpu: Gpu,
  { rows }: MemoryBank,
  { origin, imageSizes }: Pick<StoredModel, "origin" | "imageSizes">,
  settings: Settings,
  { features }: FeatureExtractor,
): Promise<BankSearch> {
  if (settings.tiles?.banks !== "position") {
    return await BankSearch.create(gpu, rows);
  }
  const [width = 1, height = 1] = imageSizes;
  const [, columns] = tileCounts({ width, height }, settings);
  const images = placesOf(origin, columns, features).map(foundByOnly);
  return await BankSearch.create(gpu, rows, { images });
}

/** Refuses rows of views that images do not have. */
function checkViews({ originView }: StoredModel, { augment }: Settings): void {
  const views = viewCount(augment);
  const row = originView?.findIndex((view) => view >= views) ?? -1;
  if (row < 0) return;
  throw new ModelFileError(
    `Cannot load the model: bank row ${row} comes from view ${
      originView![row]
    } of an image, the settings give it ${views}`,
  );
}

/** Size of the network's input, `[height, width]`: that of every training image. */
function inputOf(sizes: Int32Array, settings: Settings): [number, number] {
  const of = (i: number): [number, number] => {
    const [width, height] = sizes.subarray(i, i + 2);
    try {
      return inputSize({ width: width!, height: height! }, settings);
    } catch (cause) {
      throw new ModelFileError(
        `Cannot load the model: ${(cause as Error).message}`,
        { cause },
      );
    }
  };
  const first = of(0);
  for (let i = 2; i < sizes.length; i += 2) {
    const input = of(i);
    if (input.join() === first.join()) continue;
    throw new ModelFileError(
      `Cannot load the model: training image ${i / 2} of ${
        sizes.subarray(i, i + 2).join(" × ")
      } pixels becomes ${input[1]} × ${input[0]}, and the first ${first[1]} × ${
        first[0]
      }`,
    );
  }
  return first;
}

/** Checks that a region is of images as the training images were. */
function checkRegion(
  settings: Settings,
  input: readonly [number, number],
): void {
  const { region } = settings;
  if (region === undefined) return;
  const own = inputOf(Int32Array.of(region.width, region.height), settings);
  if (own.join() === input.join()) return;
  throw new ModelFileError(
    `Cannot load the model: its region is of images of ${region.width} × ${region.height} pixels, which become ${
      own[1]
    } × ${own[0]}, and the training images ${input[1]} × ${input[0]}`,
  );
}

function checkFeatures(
  { dim, origin, imageSizes }: StoredModel,
  settings: Settings,
  { features: { dim: expected, height, width } }: FeatureExtractor,
): void {
  if (dim !== expected) {
    throw new ModelFileError(
      `Cannot load the model: memory_bank has rows of ${dim} elements, the network and the settings give features of ${expected}`,
    );
  }
  for (let i = 0; i < origin.length; i += 3) {
    const [image, row, column] = origin.subarray(i, i + 3);
    const [imageWidth, imageHeight] = imageSizes.subarray(2 * image!);
    const size = { width: imageWidth!, height: imageHeight! };
    const [down, across] = tileCounts(size, settings);
    if (row! < down * height && column! < across * width) continue;
    throw new ModelFileError(
      `Cannot load the model: bank row ${
        i / 3
      } comes from patch row ${row}, column ${column}, of a grid of ${
        down * height
      } × ${across * width}`,
    );
  }
}

/**
 * The backbone that a stored model is used with: the one that is shared or
 * given, the model's own, or one that the resolver has under the name that the
 * model gives. Where the model says that fit found it is not looked at: whoever
 * made the model chose that path.
 *
 * @throws {ModelFileError} If there is none.
 */
export async function backboneOf(
  model: StoredModel,
  options: LoadOptions,
): Promise<Backbone | BackboneFile> {
  const { backbone } = model;
  const { name, onnx, source = name } = backbone;
  const file = options.shared ?? await resolveBackbone(
    options.backbone ??
      (onnx ? { name, bytes: new Uint8Array(onnx) } : bareName(source)),
    backbone,
  );
  if (file === undefined) {
    throw new ModelFileError(
      `Cannot load the model: it was fitted with backbone "${name}" and does not contain it; give that ONNX file`,
    );
  }
  return file;
}

/** The name of a file without its folders, whatever system its path is of. */
function bareName(path: string): string {
  return path.replace(/^.*[/\\:]/s, "").replace(/\.onnx$/i, "");
}
