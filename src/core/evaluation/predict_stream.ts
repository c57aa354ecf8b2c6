import type { Gpu } from "../../gpu/mod.ts";
import { loadPixels, type NamedImage } from "../detector/image_source.ts";
import {
  BatchPredictor,
  type PredictorParts,
  type SubmittedBatch,
} from "../detector/predictor.ts";
import { reportImageError, type WorkOptions } from "../detector/progress.ts";
import type { Pixels } from "../images/pixels.ts";
import type { NamedScore } from "./score_samples.ts";

interface Loaded {
  readonly name: string;
  readonly pixels: Pixels;
}

interface RunningBatch {
  readonly images: readonly Loaded[];
  readonly batch: SubmittedBatch;
}

/** Options of {@linkcode predictStream}. */
export interface PredictStreamOptions extends WorkOptions {
  /** Images of a batch. */
  readonly batch: number;
}

/**
 * Scores images batch after batch; while the GPU works on one
 * the next is decoded.
 *
 * @param gpu The device.
 * @param parts What predictions are made with.
 * @param images What to score, in order.
 * @param options Batch size, images that fail, cancelling.
 */
export async function* predictStream(
  gpu: Gpu,
  parts: PredictorParts,
  images: readonly NamedImage[],
  options: PredictStreamOptions,
): AsyncGenerator<NamedScore> {
  const predictors = new Map<number, BatchPredictor>();
  const submit = async (batch: readonly Loaded[]): Promise<RunningBatch> => {
    let predictor = predictors.get(batch.length);
    if (predictor === undefined) {
      predictor = await BatchPredictor.create(gpu, parts, batch.length);
      predictors.set(batch.length, predictor);
    }
    const pixels = batch.map(({ pixels }) => pixels);
    return { images: batch, batch: await predictor.submit(pixels) };
  };
  const [height, width] = parts.extractor.input;
  const collect = async (
    { images, batch }: RunningBatch,
  ): Promise<NamedScore[]> =>
    (await batch.collect()).map(({ score, map: data }, i) => ({
      name: images[i]!.name,
      image: images[i]!.pixels,
      score,
      map: { width, height, data },
    }));
  try {
    let loadedImages: Loaded[] = [];
    let running: RunningBatch | undefined;
    for (const image of images) {
      options.signal?.throwIfAborted();
      const loaded = await load(image, parts, options);
      if (loaded !== undefined) loadedImages.push(loaded);
      if (loadedImages.length < options.batch) continue;
      if (running !== undefined) yield* await collect(running);
      running = await submit(loadedImages);
      loadedImages = [];
    }
    if (running !== undefined) yield* await collect(running);
    if (loadedImages.length > 0) {
      yield* await collect(await submit(loadedImages));
    }
  } finally {
    for (const predictor of predictors.values()) predictor.dispose();
  }
}

async function load(
  image: NamedImage,
  { extractor }: PredictorParts,
  options: WorkOptions,
): Promise<Loaded | undefined> {
  try {
    const pixels = await loadPixels(image);
    extractor.check(pixels);
    return { name: image.name, pixels };
  } catch (error) {
    reportImageError(image.name, error, options);
    return undefined;
  }
}
