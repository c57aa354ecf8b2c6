import type { Gpu } from "../../../gpu/mod.ts";
import {
  ImageBatches,
  type LoadedImage,
} from "../../features/image_batches.ts";
import type { ImageSources } from "../../features/image_source.ts";
import { reportImageError, type WorkOptions } from "../../features/progress.ts";
import { planExtents } from "../../images/resize_plan.ts";
import type { StoredModel } from "../../model/stored_model.ts";
import type { Limits } from "../../score/verdict.ts";
import { checkFiniteResult } from "../../score/finite_result.ts";
import type { Settings } from "../../settings/settings.ts";
import {
  BatchPredictor,
  type PredictorParts,
  type ScoredImage,
} from "./batch_predictor.ts";
import { judgedMap, judgeMapped } from "./judge_mapped.ts";
import { patchBox, type Prediction } from "./prediction.ts";
import { Turns } from "./turns.ts";

/** What a prediction tells of the model beside its scores. */
type DescribedModel = Pick<StoredModel, "origin" | "imageNames" | "imageSizes">;

interface RunningBatch {
  readonly images: readonly LoadedImage[];
  /** Milliseconds until it was submitted. */
  readonly ms: number;
  /** Its results, read back when they are asked for the first time. */
  readonly scored: () => Promise<readonly ScoredImage[]>;
}

/** What came back of an image, and its share of the batch's milliseconds. */
interface Seen {
  readonly image: LoadedImage;
  readonly scored: ScoredImage;
  readonly share: number;
}

/**
 * Scores images with a fitted model. Any number of predictions may be under way
 * at a time: they take turns batch by batch.
 */
export class Predictor {
  readonly #gpu: Gpu;
  readonly #parts: PredictorParts;
  readonly #model: DescribedModel;
  readonly #settings: Settings;
  readonly #batch: number;
  readonly #turns: Turns;
  readonly #predictors = new Map<number, BatchPredictor>();
  #running: RunningBatch | undefined;
  #isRetired = false;

  /**
   * @param gpu The device that the parts are on.
   * @param parts What scores are made with; they stay their owner's.
   * @param model What is told of a patch beside its score.
   * @param settings The settings that the model was fitted with.
   * @param batch Images of a batch.
   * @param turns Who may use the parts.
   */
  constructor(
    gpu: Gpu,
    parts: PredictorParts,
    model: DescribedModel,
    settings: Settings,
    batch: number,
    turns: Turns = new Turns(),
  ) {
    this.#gpu = gpu;
    this.#parts = parts;
    this.#model = model;
    this.#settings = settings;
    this.#batch = batch;
    this.#turns = turns;
  }

  /** Scores images in order; the GPU works on a batch while the next is decoded. */
  async *predict(
    images: ImageSources,
    options: WorkOptions,
    limits: Limits,
  ): AsyncGenerator<Prediction> {
    const { extractor } = this.#parts;
    const batches = new ImageBatches(images, {
      ...options,
      batch: this.#batch,
      check: (pixels) => extractor.check(pixels),
    });
    let running: RunningBatch | undefined;
    for await (const batch of batches) {
      if (running !== undefined) {
        yield* this.#judged(await this.#collect(running), options, limits);
      }
      running = await this.#turn(() => this.#submit(batch));
    }
    if (running !== undefined) {
      yield* this.#judged(await this.#collect(running), options, limits);
    }
  }

  /**
   * From now on a batch is refused: the model is going to be replaced.
   * Predictions that are under way end with an error.
   */
  retire(): void {
    this.#isRetired = true;
  }

  async #turn<T>(work: () => Promise<T>): Promise<T> {
    this.#checkUse();
    return await this.#turns.take(() => {
      this.#checkUse();
      return work();
    });
  }

  #checkUse(): void {
    if (!this.#isRetired) return;
    throw new TypeError(
      "Cannot go on with a prediction: the detector was fitted anew or disposed of since it began; start it again",
    );
  }

  async #submit(images: readonly LoadedImage[]): Promise<RunningBatch> {
    // Its results lie where those of this batch are going to.
    await this.#running?.scored().catch(() => {});
    const start = performance.now();
    const predictor = await this.#predictor(images.length);
    const batch = await predictor.submit(images.map(({ pixels }) => pixels));
    let scored: Promise<readonly ScoredImage[]> | undefined;
    return this.#running = {
      images,
      ms: performance.now() - start,
      scored: () => scored ??= batch.collect(),
    };
  }

  async #collect(running: RunningBatch): Promise<Seen[]> {
    const { images, ms } = running;
    const start = performance.now();
    const scored = await this.#turn(() => running.scored());
    if (this.#running === running) this.#running = undefined;
    const share = (ms + performance.now() - start) / images.length;
    return scored.map((image, i) => ({
      image: images[i]!,
      scored: image,
      share,
    }));
  }

  /** Tells of images whose score or map says nothing, and judges the others. */
  *#judged(
    seen: readonly Seen[],
    options: WorkOptions,
    limits: Limits,
  ): Generator<Prediction> {
    for (const { image, scored, share } of seen) {
      let prediction: Prediction;
      try {
        prediction = this.#describe(image, scored, share, limits);
      } catch (error) {
        reportImageError(image.source.name, error, options);
        continue;
      }
      yield prediction;
    }
  }

  async #predictor(images: number): Promise<BatchPredictor> {
    let predictor = this.#predictors.get(images);
    if (predictor === undefined) {
      predictor = await BatchPredictor.create(this.#gpu, this.#parts, images);
      this.#predictors.set(images, predictor);
    }
    return predictor;
  }

  /** Puts what came back from the GPU into the terms of the original image. */
  #describe(
    { source, pixels, ms: decode }: LoadedImage,
    scored: ScoredImage,
    share: number,
    limits: Limits,
  ): Prediction {
    checkFiniteResult(source.name, scored);
    const { score, geometry, times, worstPatch, nearestRow } = scored;
    const { origin, imageNames, imageSizes } = this.#model;
    const { input, features } = this.#parts.extractor;
    const { height, width } = features;
    const grid = [height, width] as const;
    const [image, row, column] = origin.subarray(3 * nearestRow);
    const [trainWidth, trainHeight] = imageSizes.subarray(2 * image);
    const train = planExtents(trainWidth, trainHeight, this.#settings);
    const map = judgedMap(
      { width: input[1], height: input[0], data: scored.map, geometry },
      scored.unseen,
      limits,
    );
    return {
      name: source.name,
      image: pixels,
      score,
      ...judgeMapped(score, map, limits),
      threshold: limits.score,
      uncertainFrom: limits.uncertainFrom,
      worstPatch: {
        ...patchBox(worstPatch, grid, geometry),
        nearest: {
          image: imageNames[image],
          box: patchBox(row * width + column, grid, train.geometry),
        },
      },
      map,
      ms: {
        decode,
        trunk: times?.trunk ?? null,
        patches: times?.patches ?? null,
        search: times?.search ?? null,
        map: times?.map ?? null,
        total: decode + share,
      },
    };
  }

  /** Frees what was recorded, not the parts. */
  [Symbol.dispose](): void {
    for (const predictor of this.#predictors.values()) {
      predictor[Symbol.dispose]();
    }
    this.#predictors.clear();
  }
}
