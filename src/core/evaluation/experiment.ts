import type { Gpu } from "../../gpu/mod.ts";
import type { Category } from "../datasets/dataset.ts";
import { splitOrigins } from "../bank/memory_bank.ts";
import { originsByImage } from "../bank/tile_origins.ts";
import type { Backbone } from "../features/backbone.ts";
import { viewsOf } from "../images/views.ts";
import {
  FeatureScorer,
  type PredictorParts,
} from "../detector/predict/batch_predictor.ts";
import { Predictor } from "../detector/predict/predict.ts";
import {
  extractTrainingFeatures,
  type TrainingFeatures,
} from "../features/training_features.ts";
import type { MaskRule } from "../metrics/mask_rule.ts";
import { limitsOf } from "../model/thresholds.ts";
import type { Settings } from "../settings/settings.ts";
import type { CategoryResult } from "./category_metrics.ts";
import { coveringRadius, randomRadius } from "./covering_radius.ts";
import { fitBank, type FittedBank, type Variant } from "./fitted_bank.ts";
import {
  checkSameFeatures,
  featuresOfImages,
  sourcesOf,
} from "./features_of.ts";
import {
  type CategoryWork,
  type Outcome,
  type Radii,
  type Runner,
  type RunOptions,
  secondsSince,
  withTotal,
} from "./runner.ts";
import { type NamedScore, scoreSamples } from "./score_samples.ts";

/** Images scored with one submit where their features are held. */
const IMAGES = 8;

/**
 * One category and one way to make features: any number of fits and
 * evaluations on features that are extracted once.
 */
export class Experiment implements Runner {
  readonly #gpu: Gpu;
  readonly #backbone: Backbone;
  readonly #settings: Settings;
  readonly #category: Category;
  readonly #options: CategoryWork;
  readonly #variant: Variant;
  readonly #train: TrainingFeatures;
  readonly #featureSeconds: number;
  #test: TrainingFeatures | undefined;

  private constructor(
    gpu: Gpu,
    backbone: Backbone,
    settings: Settings,
    category: Category,
    options: CategoryWork,
    variant: Variant,
    made: { readonly train: TrainingFeatures; readonly seconds: number },
  ) {
    this.#gpu = gpu;
    this.#backbone = backbone;
    this.#settings = settings;
    this.#category = category;
    this.#options = options;
    this.#variant = variant;
    this.#train = made.train;
    this.#featureSeconds = made.seconds;
  }

  /**
   * Extracts the features of the training images.
   *
   * @param gpu The device.
   * @param backbone The network, tapped at the settings' layers.
   * @param settings What decides the features; runs may differ in the rest.
   * @param category The images.
   * @param options Files, memory, progress.
   * @param variant What stands in the place of PatchCore's own parts.
   * @throws {RangeError} If no training image could be used.
   */
  static async create(
    gpu: Gpu,
    backbone: Backbone,
    settings: Settings,
    category: Category,
    options: CategoryWork,
    variant: Variant = {},
  ): Promise<Experiment> {
    const start = performance.now();
    const images = sourcesOf(category.train, options.files);
    const train = await extractTrainingFeatures(
      gpu,
      backbone,
      settings,
      images,
      options,
      viewsOf(settings.augment),
    );
    const seconds = secondsSince(start);
    return new Experiment(
      gpu,
      backbone,
      settings,
      category,
      options,
      variant,
      { train, seconds },
    );
  }

  /** Training images that could be used. */
  get trainImages(): number {
    return this.#train.names.length;
  }

  /**
   * Fits a bank to the features, or to those of some images, and evaluates it.
   *
   * @param settings Must make the same features as those of the experiment.
   * @throws {RangeError} If they do not.
   */
  async run(settings: Settings, options: RunOptions): Promise<Outcome> {
    checkSameFeatures(this.#settings, settings);
    if (options.train === undefined) {
      return await this.#run(this.#train, settings, options);
    }
    using part = await featuresOfImages(this.#gpu, this.#train, options.train);
    return await this.#run(part, settings, options);
  }

  async #run(
    features: TrainingFeatures,
    settings: Settings,
    options: RunOptions,
  ): Promise<Outcome> {
    const gpu = this.#gpu;
    using fitted = await fitBank(
      gpu,
      features,
      settings,
      this.#variant,
      this.#options,
    );
    const { bank, exact, approximate, seconds } = fitted;
    const radii = options.radius
      ? await this.#radii(features, fitted, settings.seed)
      : undefined;
    const start = performance.now();
    const result = await this.#evaluate(features, fitted, options.rule);
    const predict = secondsSince(start);
    const recall = approximate &&
      await approximate.recall(
        gpu,
        (await this.#testFeatures()).rows,
        exact,
        this.#cancelling,
      );
    return {
      result,
      trainImages: features.names.length,
      bankRows: bank.rows.rows,
      ...(radii && { radii }),
      ...(recall !== undefined && { recall }),
      seconds: withTotal({
        features: this.#featureSeconds,
        ...seconds,
        predict,
      }),
    };
  }

  async #radii(
    features: TrainingFeatures,
    { bank, exact }: FittedBank,
    seed: number,
  ): Promise<Radii> {
    const gpu = this.#gpu;
    const { rows } = bank.rows;
    return {
      bank: await coveringRadius(gpu, features.rows, exact, this.#cancelling),
      random: await randomRadius(gpu, features, {
        ...this.#cancelling,
        rows,
        seed,
      }),
    };
  }

  get #cancelling(): { readonly signal?: AbortSignal } {
    const { signal } = this.#options;
    return signal ? { signal } : {};
  }

  async #evaluate(
    { names, sizes, views, tiles }: TrainingFeatures,
    { parts, bank, threshold, mapThreshold }: FittedBank,
    rule: MaskRule,
  ): Promise<CategoryResult> {
    const { test } = this.#category;
    const { files, several, batch } = this.#options;
    // Maps of tiles are put together as those of any prediction are.
    const keep = this.#settings.tiles === undefined &&
      (several || this.#variant.probes !== undefined);
    const limits = limitsOf({ threshold, mapThreshold });
    const { origin, view } = splitOrigins(bank.origin, views);
    const model = {
      origin: originsByImage(origin, tiles, {
        grid: parts.extractor.features,
      }),
      originView: view,
      imageNames: names,
      imageSizes: Int32Array.from(sizes.flat()),
    };
    using predictor = new Predictor(
      this.#gpu,
      parts,
      model,
      this.#settings,
      batch,
    );
    const predictions = keep
      ? this.#fromFeatures(parts)
      : predictor.predict(sourcesOf(test, files), this.#options, limits);
    return await scoreSamples(predictions, test, this.#options, {
      geometry: this.#settings,
      rule,
      limits,
    });
  }

  async *#fromFeatures(parts: PredictorParts): AsyncGenerator<NamedScore> {
    const gpu = this.#gpu;
    const { rows, names, sizes, masks } = await this.#testFeatures();
    const { input: [height, width], features } = parts.extractor;
    const size = features.patches * rows.dim;
    using queries = gpu.tensor(
      [IMAGES * features.patches, rows.dim],
      "f32",
      "test features",
    );
    gpu.clear(queries);
    using mask = gpu.upload(
      new Uint32Array(IMAGES * features.patches),
      undefined,
      "foreground",
    );
    using scorer = new FeatureScorer(
      gpu,
      parts,
      queries,
      IMAGES,
      parts.masksGround ? mask : undefined,
    );
    for (const program of scorer.programs) await program.compile();
    let i = 0;
    for (const chunk of rows.chunks) {
      const images = chunk.shape[0]! / features.patches;
      for (let first = 0; first < images; first += IMAGES) {
        const count = Math.min(IMAGES, images - first);
        gpu.copy(chunk, queries, {
          fromOffset: first * size,
          count: count * size,
        });
        if (parts.masksGround) {
          masks.slice(i, i + count).forEach((own, place) =>
            gpu.write(mask, Uint32Array.from(own), place * features.patches)
          );
        }
        gpu.submit(scorer.programs);
        const [scored] = await scorer.read(count);
        for (const { score, map: data, unseen } of scored) {
          const [imageWidth, imageHeight] = sizes[i]!;
          yield {
            name: names[i++]!,
            image: { width: imageWidth, height: imageHeight },
            score,
            map: { width, height, data, unseen },
          };
        }
      }
    }
  }

  async #testFeatures(): Promise<TrainingFeatures> {
    return this.#test ??= await extractTrainingFeatures(
      this.#gpu,
      this.#backbone,
      this.#settings,
      sourcesOf(this.#category.test, this.#options.files),
      { ...this.#options, takesAnyFeatures: true },
    );
  }

  /** Frees the features. */
  [Symbol.dispose](): void {
    for (const features of [this.#train, this.#test]) {
      if (features === undefined) continue;
      features[Symbol.dispose]();
      features.extractor[Symbol.dispose]();
    }
  }
}
