import type { Gpu } from "../../../gpu/mod.ts";
import type { Projection } from "../../rows/projection.ts";
import type { StoredModel } from "../../model/stored_model.ts";
import type { Settings } from "../../settings/settings.ts";
import { drawProjection, storedProjection } from "../../bank/choose_rows.ts";
import type {
  FeatureStream,
  LoadedImage,
} from "../../features/feature_stream.ts";
import { type FitDemand, type MemoryPlan, planMemory } from "./plan.ts";

/** What {@linkcode startFit} goes by. */
export interface FitStartOptions {
  /** Every switch of the method. */
  readonly settings: Settings;
  /** A model that the images are added to. */
  readonly known: StoredModel | undefined;
  /** Images expected, where their number is known. */
  readonly images: number | undefined;
  /** Whether all images can be loaded again, however many they are. */
  readonly areListed: boolean;
  /** Images of a batch. */
  readonly batch: number;
  /** GPU bytes allowed. */
  readonly memoryBudget: number | undefined;
}

/** A fit that was planned. */
export interface StartedFit {
  /** What the plan was made for. */
  readonly fit: FitDemand;
  /** How memory is divided. */
  readonly memory: MemoryPlan;
  /** The projection that rows are chosen with, if there is one. */
  readonly projection: Projection | undefined;
}

/**
 * Allocates what a fit needs whatever the number of images, and plans the rest
 * of its memory.
 *
 * @param gpu The device.
 * @param stream The images.
 * @param first The stream's first batch.
 * @param options What the plan goes by.
 * @throws {RangeError} If no image could be used, or memory is too small.
 */
export async function startFit(
  gpu: Gpu,
  stream: FeatureStream,
  first: readonly LoadedImage[],
  options: FitStartOptions,
): Promise<StartedFit> {
  const { settings, known, images, areListed, batch } = options;
  const { memoryBudget: budget } = options;
  const { extractor } = stream;
  const { patches, paddedDim, dim } = extractor.features;
  const session = await extractor.session(first.length);
  await extractor.encode(session, first.map(({ pixels }) => pixels));
  // The last batch may be smaller and has activations of its own.
  const fixedBytes = gpu.pool.bytes + extractor.activationBytes(batch);
  const { coreset, seed } = settings;
  const earlier = known === undefined ? 0 : patchesOf(known, patches);
  const samples = images === undefined
    ? coreset.maxBank ?? patches
    : images * patches + earlier;
  const projection = coreset.method !== "greedy"
    ? undefined
    : known?.projection
    ? storedProjection(known.projection)
    : drawProjection(coreset.projection, dim, samples, seed);
  const fit: FitDemand = {
    sizes: {
      fixedBytes,
      patches,
      dim: paddedDim,
      projected: projection?.outputs,
      greedy: coreset.method === "greedy",
    },
    settings,
    images,
    areListed,
    batch,
    budget,
    ...(known && { known: { rows: known.rows, patches: earlier } }),
  };
  return { fit, memory: planMemory(fit), projection };
}

/** Patches that a model's bank stands for. */
export function patchesOf(
  { coverage, imageNames }: Pick<StoredModel, "coverage" | "imageNames">,
  patchesPerImage: number,
): number {
  return coverage?.patches ?? imageNames.length * patchesPerImage;
}
