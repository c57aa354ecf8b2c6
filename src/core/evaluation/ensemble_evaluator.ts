import { Gpu } from "../../gpu/mod.ts";
import type { TuningStore } from "../../nn/conv_tuning.ts";
import { joinRanges, rangeOf } from "../score/min_max_scale.ts";
import { NO_LIMITS } from "../score/verdict.ts";
import { limitsOf } from "../model/thresholds.ts";
import type { Category } from "../datasets/dataset.ts";
import type { BackboneFile } from "../features/backbone.ts";
import { Ensemble } from "../detector/ensemble/ensemble.ts";
import {
  jointPrediction,
  type MemberPredictions,
  type MemberScales,
  predictTogether,
} from "../detector/ensemble/joint_prediction.ts";
import type { Prediction } from "../detector/predict/prediction.ts";
import type { WorkOptions } from "../features/progress.ts";
import { resolveSettings } from "../settings/resolve_settings.ts";
import type { Settings, SettingsOptions } from "../settings/settings.ts";
import type { EvaluateMethod } from "./evaluate_category.ts";
import { sourcesOf } from "./features_of.ts";
import {
  type CategoryWork,
  type Outcome,
  type Runner,
  type RunOptions,
  secondsSince,
  withTotal,
} from "./runner.ts";
import { scoreSamples } from "./score_samples.ts";

/**
 * What brings the members' scores and maps to one scale: `"train"`, the
 * training images' held-out scores; `"test"`, the least and largest
 * value over the test set, as the published implementation has it, for which
 * the test set is predicted twice.
 */
type EnsembleNorm = "train" | "test";

/** Options of {@linkcode EnsembleEvaluator.create}. */
interface EnsembleEvaluatorOptions {
  /** Device to work on; by default one of its own. */
  readonly gpu?: Gpu;
  /** Whether backbones with random weights are accepted. */
  readonly allowRandom?: boolean;
  /** Where measured choices of kernels are kept; none by default. */
  readonly tuning?: TuningStore;
  /** Where the members' scale comes from, `"train"` by default. */
  readonly norm?: EnsembleNorm;
  /** Images of a batch. */
  readonly batch: number;
}

/** Evaluates ensembles of several backbones, category after category. */
export class EnsembleEvaluator implements EvaluateMethod, Disposable {
  /** Every switch of the method. */
  readonly settings: Settings;
  /** The device. */
  readonly gpu: Gpu;
  readonly #files: readonly BackboneFile[];
  readonly #options: EnsembleEvaluatorOptions;
  #ensemble: Ensemble | undefined;

  private constructor(
    gpu: Gpu,
    files: readonly BackboneFile[],
    settings: Settings,
    options: EnsembleEvaluatorOptions,
  ) {
    this.gpu = gpu;
    this.#files = files;
    this.settings = settings;
    this.#options = options;
  }

  /**
   * Prepares an evaluation; backbones are loaded by the first run.
   *
   * @param files The backbones' ONNX files, at least two.
   * @param settings A preset, and what differs from it.
   * @param options Scales, size of batches, device.
   * @throws {RangeError} If a setting is not allowed.
   * @throws {GpuError} If there is no WebGPU.
   */
  static async create(
    files: readonly BackboneFile[],
    settings: SettingsOptions,
    options: EnsembleEvaluatorOptions,
  ): Promise<EnsembleEvaluator> {
    const resolved = resolveSettings(settings);
    const gpu = options.gpu ?? await Gpu.create();
    return new EnsembleEvaluator(gpu, files, resolved, options);
  }

  /** Prepares a category. */
  start(category: Category, work: CategoryWork): Promise<Runner> {
    return Promise.resolve({
      trainImages: category.train.length,
      run: (settings, options) => this.#run(category, work, settings, options),
      [Symbol.dispose]: () => {},
    });
  }

  async #run(
    category: Category,
    work: CategoryWork,
    settings: Settings,
    { rule, train: picks }: RunOptions,
  ): Promise<Outcome> {
    const { files } = work;
    const { test } = category;
    const ensemble = await this.#loaded(settings);
    let start = performance.now();
    const train = sourcesOf(category.train, files);
    const report = await ensemble.fit(
      picks ? Array.from(picks, (pick) => train[pick]!) : train,
      work,
    );
    const fit = secondsSince(start);
    start = performance.now();
    const byTest = this.#options.norm === "test";
    const result = await scoreSamples(
      byTest
        ? this.#scaledByTest(ensemble, sourcesOf(test, files), work)
        : ensemble.predict(sourcesOf(test, files), work),
      test,
      work,
      {
        geometry: ensemble.settings,
        rule,
        limits: byTest ? NO_LIMITS : limitsOf(ensemble.model),
      },
    );
    return {
      result,
      trainImages: report.images,
      bankRows: report.bankRows,
      seconds: withTotal({ fit, predict: secondsSince(start) }),
    };
  }

  /** The ensemble with a run's seed; backbones stay from run to run. */
  async #loaded(settings: Settings): Promise<Ensemble> {
    if (this.#ensemble?.settings.seed !== settings.seed) {
      this.#ensemble?.dispose();
      this.#ensemble = undefined;
      const { allowRandom = false, batch, tuning } = this.#options;
      this.#ensemble = await Ensemble.create({
        ...settings,
        backbones: this.#files,
        gpu: this.gpu,
        allowRandom,
        ...(tuning && { tuning }),
        batch,
      });
    }
    return this.#ensemble;
  }

  async *#scaledByTest(
    { members }: Ensemble,
    images: ReturnType<typeof sourcesOf>,
    work: WorkOptions,
  ): AsyncGenerator<Prediction> {
    const { batch } = this.#options;
    let scales: readonly MemberScales[] | undefined;
    const first = predictTogether(members, images, { ...work, batch });
    const usable = new Set<number>();
    for await (const seen of first) {
      usable.add(seen.image.index);
      const own = rangesOf(seen);
      scales = scales?.map((scale, i) => ({
        score: joinRanges(scale.score, own[i]!.score),
        map: joinRanges(scale.map, own[i]!.map),
      })) ?? own;
    }
    const again = images.filter((_, i) => usable.has(i));
    const second = predictTogether(members, again, { ...work, batch });
    for await (const seen of second) {
      yield jointPrediction(seen, scales!, NO_LIMITS);
    }
  }

  /** Frees the backbones, and the device if it is the evaluator's own. */
  [Symbol.dispose](): void {
    this.#ensemble?.dispose();
    this.#ensemble = undefined;
    if (this.#options.gpu === undefined) this.gpu.dispose();
  }
}

function rangesOf({ predictions }: MemberPredictions): MemberScales[] {
  return predictions.map(({ score, map }) => ({
    score: rangeOf([score]),
    map: rangeOf(map.data),
  }));
}
