import type { Gpu } from "../../gpu/mod.ts";
import { MemoryBank } from "../bank/memory_bank.ts";
import type { Sample } from "../datasets/dataset.ts";
import type { Files } from "../datasets/files.ts";
import type { NamedImage } from "../features/image_source.ts";
import type { TrainingFeatures } from "../features/training_features.ts";
import type { Settings } from "../settings/settings.ts";

/** Images of a dataset as a detector takes them. */
export function sourcesOf(
  samples: readonly Sample[],
  files: Files,
): NamedImage[] {
  return samples.map(({ path }) => ({
    name: path,
    content: () => files.read(path),
  }));
}

/**
 * A copy of some images' features.
 *
 * @param features Features of all images; they stay as they are.
 * @param images Indices of the images wanted, in the order wanted.
 */
export async function featuresOfImages(
  gpu: Gpu,
  { rows, extractor, names, sizes, tiles, ...features }: TrainingFeatures,
  images: Uint32Array,
): Promise<TrainingFeatures> {
  const { patches, dim } = extractor.features;
  const { seconds, views, masks } = features;
  const each = views * tiles[0] * tiles[1] * patches;
  const picks = Uint32Array.from(
    { length: images.length * each },
    (_, i) => images[Math.floor(i / each)]! * each + i % each,
  );
  const copy = await MemoryBank.gather(
    gpu,
    rows,
    dim,
    picks,
    extractor.features,
  );
  return {
    rows: copy.rows,
    extractor,
    names: Array.from(images, (image) => names[image]!),
    sizes: Array.from(images, (image) => sizes[image]!),
    masks: masks.length === 0
      ? []
      : Array.from(images, (image) => masks[image]!),
    ...{ seconds, views, tiles },
    [Symbol.dispose]: () => copy[Symbol.dispose](),
  };
}

const FEATURE_SETTINGS = [
  "tiles",
  "resize",
  "square",
  "crop",
  "range",
  "multiple",
  "resample",
  "distance",
  "foreground",
  "augment",
  "layers",
  "patchSize",
  "stride",
  "layerDim",
  "dim",
  "merge",
  "region",
] as const satisfies readonly (keyof Settings)[];

/**
 * Checks that two settings make the same patch features.
 *
 * @throws {RangeError} If they do not, naming the setting.
 */
export function checkSameFeatures(made: Settings, wanted: Settings): void {
  const other = FEATURE_SETTINGS.find((key) =>
    JSON.stringify(made[key]) !== JSON.stringify(wanted[key])
  );
  if (other === undefined) return;
  throw new RangeError(
    `Cannot reuse features for ${other} ${
      JSON.stringify(wanted[other])
    }: they were made with ${JSON.stringify(made[other])}`,
  );
}
