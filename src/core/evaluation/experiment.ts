import type { Gpu } from "../../gpu/mod.ts";
import type { Category } from "../datasets/dataset.ts";
import type { Files } from "../datasets/files.ts";
import type { Backbone } from "../detector/backbone.ts";
import { calibrate, searchOf } from "../detector/calibrate.ts";
import { chooseBank } from "../detector/choose_bank.ts";
import type { PredictorParts } from "../detector/predictor.ts";
import type { WorkOptions } from "../detector/progress.ts";
import {
  extractTrainingFeatures,
  type TrainingFeatures,
} from "../detector/training_features.ts";
import type { MaskRule } from "../metrics/mask_rule.ts";
import { ImageScores } from "../score/image_score.ts";
import type { Settings } from "../settings/settings.ts";
import type { CategoryResult } from "./category_metrics.ts";
import { coveringRadius } from "./covering_radius.ts";
import { FeaturePredictor } from "./feature_predictor.ts";
import {
  checkSameFeatures,
  featuresOfImages,
  sourcesOf,
} from "./features_of.ts";
import { GroundTruth } from "./ground_truth.ts";
import { predictStream } from "./predict_stream.ts";
import { randomRadius } from "./random_radius.ts";
import { type NamedScore, scoreSamples } from "./score_samples.ts";

/** Options of {@linkcode Experiment.create}. */
export interface ExperimentOptions extends WorkOptions {
  /** The file system that the category was read from. */
  readonly files: Files;
  /** Images of a batch. */
  readonly batch: number;
  /**
   * Whether the features of the test images stay on the GPU, so that further
   * runs need no backbone; otherwise those of one batch are there at a time.
   */
  readonly keepTest?: boolean;
}

/** Options of {@linkcode Experiment.run}. */
export interface RunOptions {
  /** Which pixels of the masks are anomalous. */
  readonly rule: MaskRule;
  /** Training images to fit, by index; all by default. */
  readonly train?: Uint32Array;
  /** Whether to measure covering radii (paper, Eq. 5); takes time. */
  readonly radius?: boolean;
}

/** Covering radii in the space of the features (paper, Eq. 5). */
export interface Radii {
  /** Of the memory bank. */
  readonly bank: number;
  /** Of as many patches drawn at random. */
  readonly random: number;
}

/** Seconds of each step. */
export interface RunSeconds {
  /** Features of the training images: the same for all runs. */
  readonly features: number;
  /** Choice of the bank. */
  readonly coreset: number;
  /** Leave-one-image-out scores. */
  readonly threshold: number;
  /** Scores, maps and metrics of the test images. */
  readonly predict: number;
  /** All of them. */
  readonly total: number;
}

/** What a run found. */
export interface Outcome {
  /** All metrics. */
  readonly result: CategoryResult;
  /** Training images fitted. */
  readonly trainImages: number;
  /** Their patches. */
  readonly patches: number;
  /** Rows of the memory bank. */
  readonly bankRows: number;
  /** Covering radii, where they were measured. */
  readonly radii: Radii | undefined;
  /** Time taken; the covering radii are not in it. */
  readonly seconds: RunSeconds;
}

/**
 * One category and one way to make features: any number of fits and
 * evaluations on features that are extracted once.
 */
export class Experiment implements Disposable {
  readonly #gpu: Gpu;
  readonly #backbone: Backbone;
  readonly #settings: Settings;
  readonly #category: Category;
  readonly #options: ExperimentOptions;
  readonly #train: TrainingFeatures;
  readonly #featureSeconds: number;
  #test: TrainingFeatures | undefined;

  private constructor(
    gpu: Gpu,
    backbone: Backbone,
    settings: Settings,
    category: Category,
    options: ExperimentOptions,
    made: { readonly train: TrainingFeatures; readonly seconds: number },
  ) {
    this.#gpu = gpu;
    this.#backbone = backbone;
    this.#settings = settings;
    this.#category = category;
    this.#options = options;
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
   * @throws {RangeError} If no training image could be used.
   */
  static async create(
    gpu: Gpu,
    backbone: Backbone,
    settings: Settings,
    category: Category,
    options: ExperimentOptions,
  ): Promise<Experiment> {
    const start = performance.now();
    const images = sourcesOf(category.train, options.files);
    const train = await extractTrainingFeatures(
      gpu,
      backbone,
      settings,
      images,
      options,
    );
    const seconds = secondsSince(start);
    const made = { train, seconds };
    return new Experiment(gpu, backbone, settings, category, options, made);
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
    let start = performance.now();
    const chosen = await chooseBank(gpu, features, settings, this.#options);
    using bank = chosen.bank;
    using search = await searchOf(gpu, bank);
    const coreset = secondsSince(start);
    start = performance.now();
    const { threshold } = await calibrate(
      gpu,
      features,
      { ...chosen, search },
      settings,
      this.#options,
    );
    const calibration = secondsSince(start);
    const { signal } = this.#options;
    const measured = { ...(signal && { signal }) };
    const radii = options.radius
      ? {
        bank: await coveringRadius(gpu, features.rows, search, measured),
        random: await randomRadius(gpu, features, {
          ...measured,
          rows: bank.rows.rows,
          seed: settings.seed,
        }),
      }
      : undefined;
    start = performance.now();
    const result = await this.#evaluate(
      {
        extractor: features.extractor,
        search,
        scores: new ImageScores(gpu, bank.rows, search, settings),
        mapSettings: settings.map,
      },
      options.rule,
      threshold?.value,
    );
    const predict = secondsSince(start);
    const steps = [this.#featureSeconds, coreset, calibration, predict];
    return {
      result,
      trainImages: features.names.length,
      patches: features.rows.rows,
      bankRows: bank.rows.rows,
      radii,
      seconds: {
        features: this.#featureSeconds,
        coreset,
        threshold: calibration,
        predict,
        total: steps.reduce((sum, step) => sum + step),
      },
    };
  }

  async #evaluate(
    parts: PredictorParts,
    rule: MaskRule,
    threshold: number | undefined,
  ): Promise<CategoryResult> {
    const { test } = this.#category;
    const { files, keepTest, onProgress } = this.#options;
    const predictions = keepTest
      ? this.#fromFeatures(parts)
      : predictStream(this.#gpu, parts, sourcesOf(test, files), this.#options);
    const truth = new GroundTruth(files, { geometry: this.#settings, rule });
    return await scoreSamples(predictions, test, truth, {
      ...(threshold !== undefined && { threshold }),
      onProgress: (done) => onProgress?.("predict", done, test.length),
    });
  }

  async *#fromFeatures(parts: PredictorParts): AsyncGenerator<NamedScore> {
    this.#test ??= await extractTrainingFeatures(
      this.#gpu,
      this.#backbone,
      this.#settings,
      sourcesOf(this.#category.test, this.#options.files),
      this.#options,
    );
    const { rows, names, sizes } = this.#test;
    using predictor = await FeaturePredictor.create(this.#gpu, parts, rows.dim);
    let i = 0;
    for await (const scored of predictor.run(rows)) {
      const [width, height] = sizes[i]!;
      yield { ...scored, name: names[i++]!, image: { width, height } };
    }
  }

  /** Frees the features. */
  dispose(): void {
    for (const features of [this.#train, this.#test]) {
      if (features === undefined) continue;
      features[Symbol.dispose]();
      features.extractor.dispose();
    }
  }

  /** Same as {@linkcode Experiment.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}
