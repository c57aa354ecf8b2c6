import { type Gpu, GpuError, GpuLostError, RowChunks } from "../../gpu/mod.ts";
import type { Settings } from "../settings/settings.ts";
import type { Backbone } from "./backbone.ts";
import type { FeatureExtractor } from "./extractor.ts";
import {
  type ExtractOptions,
  FeatureStream,
  ImageLog,
} from "./feature_stream.ts";
import type { View } from "../images/views.ts";
import type { PatchMask } from "./foreground.ts";
import type { NamedImage } from "./image_source.ts";

/** Patch features of whole images. */
export interface ExtractedPatches {
  /** The features, images in order. */
  readonly rows: RowChunks;
  /** Turned images into them. */
  readonly extractor: FeatureExtractor;
}

/** Patch features of all training images. */
export interface TrainingFeatures extends ExtractedPatches, Disposable {
  /** Views of each image, one after the other, itself first. */
  readonly views: number;
  /** Which patches of the images are of the part, where settings ask for it. */
  readonly masks: readonly PatchMask[];
  /** Names of the images that could be used. */
  readonly names: readonly string[];
  /** Their sizes in pixels `[width, height]`. */
  readonly sizes: readonly (readonly [number, number])[];
  /** Rows and columns of tiles that each is seen in. */
  readonly tiles: readonly [number, number];
  /** Seconds of decoding, of the backbone and of patch features. */
  readonly seconds: {
    readonly decode: number;
    readonly trunk: number;
    readonly patches: number;
  };
}

/**
 * Computes the patch features of all training images and keeps them on the GPU.
 *
 * @param views Views that each is taken in, itself first; itself by default.
 * @throws {RangeError} If no image could be used.
 */
export async function extractTrainingFeatures(
  gpu: Gpu,
  backbone: Backbone,
  settings: Settings,
  images: readonly NamedImage[],
  options: ExtractOptions,
  views: readonly View[] = [],
): Promise<TrainingFeatures> {
  const feed = { images, count: images.length, views };
  using stream = new FeatureStream(gpu, { backbone, settings }, feed, options);
  const first = await stream.next();
  const { patches, paddedDim } = stream.extractor.features;
  const { tiles } = stream;
  const each = Math.max(1, views.length);
  const count = images.length * each * tiles[0] * tiles[1] * patches;
  const rows = allocateFeatures(gpu, count, paddedDim, patches);
  const log = new ImageLog();
  try {
    for (let batch = first; batch.length > 0; batch = await stream.next()) {
      await stream.submit(batch, rows, log.views * patches);
      log.add(batch);
    }
    await stream.wait();
  } catch (error) {
    rows.dispose();
    throw error;
  }
  return {
    rows: rows.head(log.views * patches),
    tiles,
    views: each,
    masks: stream.masks,
    extractor: stream.takeExtractor(),
    names: log.names,
    sizes: log.sizes,
    seconds: stream.seconds,
    [Symbol.dispose]: () => rows.dispose(),
  };
}

/** Rows for patch features, images of so many patches. */
export function allocateFeatures(
  gpu: Gpu,
  rows: number,
  dim: number,
  patches: number,
): RowChunks {
  try {
    return RowChunks.allocate(gpu, rows, dim, "patch features", patches);
  } catch (error) {
    if (!(error instanceof GpuError) || error instanceof GpuLostError) {
      throw error;
    }
    throw new GpuError(
      `${error.message}; use smaller images (--resize), tiles (--tile), a larger step between patches (--stride) or fewer dimensions (--dim)`,
      { cause: error },
    );
  }
}
