import type { Gpu } from "../../../gpu/mod.ts";
import { loadPixels, type NamedImage } from "../../features/image_source.ts";
import {
  BatchPredictor,
  type PredictorParts,
  type SubmittedBatch,
} from "./batch_predictor.ts";
import { reportImageError, type WorkOptions } from "../../features/progress.ts";
import { describe, type DescribedModel, type Loaded } from "./describe.ts";
import type { Prediction } from "./prediction.ts";
import type { Settings } from "../../settings/settings.ts";

interface RunningBatch {
  readonly images: readonly Loaded[];
  readonly batch: SubmittedBatch;
  /** When it was started. */
  readonly start: number;
}

/** Options of {@linkcode predictStream}. */
export interface PredictStreamOptions extends WorkOptions {
  /** Images of a batch. */
  readonly batch: number;
  /** Every switch of the method. */
  readonly settings: Settings;
  /** What is told of a prediction beside its scores. */
  readonly model: DescribedModel["model"];
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
): AsyncGenerator<Prediction> {
  const predictors = new Map<number, BatchPredictor>();
  const submit = async (batch: readonly Loaded[]): Promise<RunningBatch> => {
    let predictor = predictors.get(batch.length);
    if (predictor === undefined) {
      predictor = await BatchPredictor.create(gpu, parts, batch.length);
      predictors.set(batch.length, predictor);
    }
    const start = performance.now();
    const pixels = batch.map(({ pixels }) => pixels);
    return { images: batch, batch: await predictor.submit(pixels), start };
  };
  const described = { model: options.model, extractor: parts.extractor };
  const collect = async (
    { images, batch, start }: RunningBatch,
  ): Promise<Prediction[]> => {
    const scored = await batch.collect();
    const share = (performance.now() - start) / images.length;
    return scored.map((image, i) =>
      describe(images[i]!, image, share, described, options.settings)
    );
  };
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
  const start = performance.now();
  try {
    const pixels = await loadPixels(image);
    extractor.check(pixels);
    return { name: image.name, pixels, ms: performance.now() - start };
  } catch (error) {
    reportImageError(image.name, error, options);
    return undefined;
  }
}
