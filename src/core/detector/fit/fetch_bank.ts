import { type Gpu, RowChunks } from "../../../gpu/mod.ts";
import { copyRowSpans, gatherRows } from "../../rows/row_sets.ts";
import { MemoryBank, originsOf } from "../../bank/memory_bank.ts";
import type { FeatureExtractor } from "../../features/extractor.ts";
import {
  type ExtractOptions,
  FeatureStream,
  type StreamParts,
} from "../../features/feature_stream.ts";
import type { NamedImage } from "../../features/image_source.ts";
import { allocateFeatures } from "../../features/training_features.ts";

/** What {@linkcode fetchBank} works with. */
export interface FetchParts extends StreamParts {
  /** Images to features. */
  readonly extractor: FeatureExtractor;
  /** All images, in the order that patches are counted in. */
  readonly sources: readonly NamedImage[];
}

/**
 * Makes a memory bank of patches whose features are not held, by extracting the
 * images that they come from a second time.
 *
 * @param gpu The device.
 * @param picks The patches, in the order that the bank gets them.
 * @param parts The images and how they become features.
 * @param options Progress and cancelling.
 * @throws {Error} If one of these images cannot be used any more.
 */
export async function fetchBank(
  gpu: Gpu,
  picks: Uint32Array<ArrayBuffer>,
  parts: FetchParts,
  options: ExtractOptions,
): Promise<MemoryBank> {
  const { patches, paddedDim, dim, height, width } = parts.extractor.features;
  const { signal, onProgress, batch } = options;
  const sorted = picks.toSorted();
  const needed = [...new Set(sorted.values().map((pick) => imageOf(pick)))];
  function imageOf(pick: number): number {
    return Math.floor(pick / patches);
  }
  using stream = new FeatureStream(gpu, parts, {
    images: needed.values().map((image) => parts.sources[image]),
    count: needed.length,
  }, { batch, ...(signal && { signal }), onImageError: isGone });
  using features = allocateFeatures(
    gpu,
    Math.min(batch, needed.length) * patches,
    paddedDim,
    patches,
  );
  using ordered = RowChunks.allocate(gpu, picks.length, paddedDim, "bank rows");
  let images = 0;
  let done = 0;
  for (
    let loaded = await stream.next();
    loaded.length > 0;
    loaded = await stream.next()
  ) {
    await stream.submit(loaded, features, 0);
    const rows: number[] = [];
    while (done + rows.length < sorted.length) {
      const pick = sorted[done + rows.length];
      const place = needed.indexOf(imageOf(pick), images) - images;
      if (place >= loaded.length) break;
      rows.push(place * patches + pick % patches);
    }
    using chosen = await gatherRows(
      gpu,
      features,
      Uint32Array.from(rows),
      "chosen patches",
    );
    copyRowSpans(gpu, chosen, ordered, done);
    done += rows.length;
    images += loaded.length;
    onProgress?.("bank rows", images, needed.length);
  }
  await stream.wait();
  const places = new Map(Array.from(sorted, (pick, place) => [pick, place]));
  const order = picks.map((pick) => places.get(pick)!);
  const rows = await gatherRows(gpu, ordered, order, "memory bank");
  return new MemoryBank(rows, dim, originsOf(picks, { height, width }));
}

function isGone(name: string, cause: Error): never {
  throw new Error(
    `Cannot fetch the memory bank's rows from "${name}" again: ${cause.message}; leave the images as they are until the fit is done`,
    { cause },
  );
}
