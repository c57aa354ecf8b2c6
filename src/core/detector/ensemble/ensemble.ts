import { Gpu, type KernelTime } from "../../../gpu/mod.ts";
import {
  jointMapThreshold,
  readEnsembleFile,
  type StoredEnsemble,
  writeEnsembleFile,
} from "../../model/ensemble_file.ts";
import { checkFiniteResult } from "../../score/finite_result.ts";
import {
  jointScores,
  type MinMaxScale,
  minMaxScale,
} from "../../score/min_max_scale.ts";
import type {
  Backbone,
  BackboneFile,
  StoredBackbone,
} from "../../features/backbone.ts";
import type { StoredModel } from "../../model/stored_model.ts";
import {
  limitsOf,
  type StoredThresholds,
  type ThresholdChange,
  withMinArea,
  withThresholds,
} from "../../model/thresholds.ts";
import { type Thresholds, thresholdsOf } from "../../threshold/calibrate.ts";
import type { Settings } from "../../settings/settings.ts";
import { settingsOf } from "../load.ts";
import { VERSION } from "../../settings/version.ts";
import {
  type EnsembleFitReport,
  jointPrediction,
  jointReport,
  type MemberScales,
  predictTogether,
} from "./joint_prediction.ts";
import { type FitReport, trainingFacts } from "../fit/report.ts";
import {
  type ImageSources,
  loadPixels,
  named,
  type NamedImage,
} from "../../features/image_source.ts";
import type {
  DetectorOptions,
  FitOptions,
  PatchCoreOptions,
  SaveOptions,
} from "../options.ts";
import { PatchCore } from "../patchcore.ts";
import type { Prediction } from "../predict/prediction.ts";
import { reportImageError, type WorkOptions } from "../../features/progress.ts";

/** Options of `Ensemble.create`. */
export interface EnsembleOptions extends Omit<PatchCoreOptions, "backbone"> {
  /** The backbones' ONNX files or names, at least two. */
  readonly backbones: readonly PatchCoreOptions["backbone"][];
}

/** Options of `Ensemble.load`. */
export interface EnsembleLoadOptions extends DetectorOptions {
  /**
   * Fetches a member's ONNX file; called for members whose backbone is not in
   * the model. By default each is looked for where it was found.
   */
  readonly backbone?: (
    stored: StoredBackbone,
    member: number,
  ) => Promise<BackboneFile>;
  /**
   * Instead of the files: backbones that are shared, on the device given as
   * `gpu`; called for every member.
   */
  readonly shared?: (model: StoredModel) => Promise<Backbone>;
}

/** Refuses members whose inputs end at different places of the image. */
function checkSameInput(members: readonly PatchCore[]): void {
  const [first, ...others] = members.map(({ settings }) => settings.multiple);
  const other = others.find((multiple) => multiple !== first);
  if (other === undefined) return;
  throw new RangeError(
    `Cannot join backbones whose inputs are multiples of ${first} and of ${other} pixels: their maps would show different parts of the image; choose a multiple that both take (--multiple)`,
  );
}

/**
 * Several PatchCore detectors, each with a backbone of its own, that judge
 * together (paper, Table 4): each one's scores and maps are brought to the
 * scale of its training images' held-out scores, 0 the least and 1
 * the largest, and averaged. No test image takes part in that, so that one
 * image can be judged alone.
 */
export class Ensemble implements Disposable, AsyncDisposable {
  /** The detectors, in the order of their backbones. */
  readonly members: readonly PatchCore[];
  readonly #gpu: Gpu;
  readonly #ownsGpu: boolean;
  readonly #batch: number;
  #thresholds: StoredThresholds = {};
  #isFitting = false;
  #scales: readonly MemberScales[] | undefined;

  private constructor(
    gpu: Gpu,
    members: readonly PatchCore[],
    { gpu: given, batch = 8 }: DetectorOptions,
  ) {
    this.#gpu = gpu;
    this.members = members;
    this.#ownsGpu = given === undefined;
    this.#batch = batch;
  }

  /**
   * An ensemble that is still to be fitted.
   *
   * @throws {RangeError} If there are fewer than two backbones.
   * @throws What `PatchCore.create` throws.
   */
  static async create(options: EnsembleOptions): Promise<Ensemble> {
    const { backbones, ...rest } = options;
    return await Ensemble.#open(rest, backbones.length, (i, shared) => {
      const backbone = backbones[i]!;
      return PatchCore.create({ ...rest, ...shared, backbone });
    });
  }

  static async #open(
    options: DetectorOptions,
    count: number,
    member: (i: number, shared: DetectorOptions) => Promise<PatchCore>,
  ): Promise<Ensemble> {
    if (count < 2) {
      throw new RangeError(
        `Cannot make an ensemble of ${count} backbones: expected at least 2`,
      );
    }
    const gpu = options.gpu ?? await Gpu.create();
    const members: PatchCore[] = [];
    try {
      for (let i = 0; i < count; i++) {
        const profile = i === 0 && options.profile === true;
        members.push(await member(i, { gpu, profile }));
      }
      checkSameInput(members);
      return new Ensemble(gpu, members, options);
    } catch (error) {
      for (const member of members) member.dispose();
      if (options.gpu === undefined) gpu.dispose();
      throw error;
    }
  }

  /**
   * A fitted ensemble from the bytes that {@linkcode Ensemble.save} gave.
   *
   * @throws {ModelFileError} If the file is no ensemble, or a backbone is
   * missing or differs from the one that was fitted.
   */
  static async load(
    bytes: Uint8Array,
    options: EnsembleLoadOptions = {},
  ): Promise<Ensemble> {
    return await Ensemble.fromModel(readEnsembleFile(bytes), options);
  }

  /**
   * A fitted ensemble from what its file holds.
   *
   * @throws {ModelFileError} If a backbone is missing or differs from the one
   * that was fitted.
   */
  static async fromModel(
    stored: StoredEnsemble,
    options: EnsembleLoadOptions = {},
  ): Promise<Ensemble> {
    const { backbone: fetchBackbone, shared: share, ...rest } = options;
    for (const member of stored.members) settingsOf(member);
    const ensemble = await Ensemble.#open(
      rest,
      stored.members.length,
      async (i, common) => {
        const model = stored.members[i]!;
        const shared = await share?.(model);
        const backbone = (shared ?? model.backbone.onnx) === undefined
          ? await fetchBackbone?.(model.backbone, i)
          : undefined;
        return await PatchCore.fromModel(model, {
          ...rest,
          ...common,
          ...(shared && { shared }),
          ...(backbone && { backbone }),
        });
      },
    );
    try {
      ensemble.#adopt(stored);
      return ensemble;
    } catch (error) {
      ensemble.dispose();
      throw error;
    }
  }

  /** Every switch of the method; the same for all members. */
  get settings(): Settings {
    return this.members[0]!.settings;
  }

  /** Name of the adapter that does the work. */
  get adapterName(): string {
    return this.#gpu.adapterName;
  }

  /** The device that does the work. */
  get gpu(): Gpu {
    return this.#gpu;
  }

  /** GPU time of every kernel so far; see {@linkcode PatchCore.kernelTimes}. */
  async kernelTimes(): Promise<KernelTime[]> {
    return await this.#gpu.profiler?.report() ?? [];
  }

  /**
   * The ensemble as it would be saved.
   *
   * @throws {TypeError} If it is not fitted.
   */
  get model(): StoredEnsemble {
    return this.#toModel(this.members.map(({ model }) => model));
  }

  #toModel(members: StoredEnsemble["members"]): StoredEnsemble {
    return {
      members,
      ...this.#thresholds,
      softwareVersion: VERSION,
    };
  }

  /**
   * Fits all members to the same images and sets the joint threshold.
   *
   * @throws {RangeError} If no image could be used, or a member gives all
   * training images the same score, so that its scores have no scale.
   * @throws {TypeError} If it is being fitted.
   */
  async fit(
    images: ImageSources,
    options: Omit<FitOptions, "shard" | "count"> = {},
  ): Promise<EnsembleFitReport> {
    if (this.#isFitting) {
      throw new TypeError(
        "Cannot fit an ensemble that is being fitted: wait for that fit to end",
      );
    }
    this.#isFitting = true;
    try {
      return await this.#fit(images, options);
    } finally {
      this.#isFitting = false;
    }
  }

  async #fit(
    images: ImageSources,
    options: Omit<FitOptions, "shard" | "count">,
  ): Promise<EnsembleFitReport> {
    const { range } = this.settings;
    const { maxPixels } = options;
    const failed = new Set<number>();
    let loaded = 0;
    const sources: NamedImage[] = [];
    for await (const image of images) {
      const index = sources.length;
      const source = named(image, index);
      sources.push({
        name: source.name,
        content: () => {
          loaded = index;
          return loadPixels(source, { range, maxPixels });
        },
      });
    }
    this.#scales = undefined;
    this.#thresholds = {};
    const reports: FitReport[] = [];
    for (const member of this.members) {
      // Images are loaded one after the other: the last one is it that failed.
      const onImageError = (name: string, error: Error): void => {
        reportImageError(name, error, options);
        failed.add(loaded);
      };
      const usable = sources.filter((_, index) => !failed.has(index));
      reports.push(await member.fit(usable, { ...options, onImageError }));
    }
    const used = reports.map((report) => report.images);
    if (new Set(used).size > 1) {
      throw new RangeError(
        `Cannot fit an ensemble: its members could use ${
          used.join(" and ")
        } images; leave the images as they are until the fit is done`,
      );
    }
    const { odd, threshold, mapThreshold } = this.#jointThresholds();
    this.#adopt({
      ...(threshold && { threshold }),
      ...(mapThreshold && { mapThreshold }),
    });
    const facts = trainingFacts({
      trainScores: this.trainScores,
      imageNames: this.members[0]!.model.imageNames,
      threshold,
    }, odd);
    return jointReport(reports, limitsOf(this.#thresholds), facts);
  }

  /**
   * Joint held-out scores of the training images; NaN for those
   * that a member has no score of.
   *
   * @throws {TypeError} If it is not fitted.
   */
  get trainScores(): Float64Array<ArrayBuffer> {
    const scores = this.members.map(({ model }) => model.trainScores);
    return jointScores(scores, this.#memberScales());
  }

  /**
   * Joint maps are means of the members' maps, so that their largest pixels are
   * at most the means of those of the members: no more good parts than promised
   * have a pixel above what is set from these means.
   */
  #jointThresholds(): Thresholds {
    const models = this.members.map(({ model }) => model);
    const maxima = models.map(({ trainMapMaxima, trainScores }) =>
      trainMapMaxima ?? new Float32Array(trainScores.length).fill(NaN)
    );
    return thresholdsOf(
      {
        scores: this.trainScores,
        maxima: jointScores(maxima, this.#memberScales()),
      },
      this.settings,
      {
        areJoint: true,
        mapThresholds: [jointMapThreshold(models)],
      },
    );
  }

  #memberScales(): MinMaxScale[] {
    return this.members.map(({ model: { trainScores, backbone } }) => {
      const scale = minMaxScale(trainScores);
      if (scale !== undefined) return scale;
      throw new RangeError(
        `Cannot join backbone "${backbone.name}" to an ensemble: it gave all of ${trainScores.length} training images the same score, so that its scores have no scale; fit more images`,
      );
    });
  }

  #adopt({ threshold, mapThreshold, minArea }: StoredThresholds): void {
    this.#scales = this.#memberScales()
      .map((scale) => ({ score: scale, map: scale }));
    this.#thresholds = {
      ...(threshold && { threshold }),
      ...(mapThreshold && { mapThreshold }),
      ...(minArea !== undefined && { minArea }),
    };
  }

  /**
   * Judges by other thresholds from now on; see
   * {@linkcode PatchCore.setThresholds}.
   *
   * @throws {TypeError} If it is not fitted.
   * @throws {RangeError} If a value is not finite, or the band is empty.
   */
  setThresholds(change: ThresholdChange): void {
    if (this.#scales === undefined) throw notFitted();
    const { threshold, mapThreshold } = withThresholds(this.model, change);
    this.#thresholds = {
      ...(threshold && { threshold }),
      ...(mapThreshold && { mapThreshold }),
    };
  }

  /**
   * Lets regions of the joint maps have a say in verdicts; see
   * {@linkcode PatchCore.setMinArea}.
   *
   * @throws {TypeError} If it is not fitted.
   * @throws {RangeError} If it is not a whole number from 1 up.
   */
  setMinArea(area: number | undefined): void {
    if (this.#scales === undefined) throw notFitted();
    this.#thresholds = withMinArea(this.#thresholds, area);
  }

  /**
   * Scores images one after the other, in order: each is decoded once and goes
   * through all members.
   *
   * @param images What to inspect.
   * @param options Images that fail, cancelling.
   * @throws {TypeError} If the ensemble is not fitted.
   */
  async *predict(
    images: ImageSources,
    options: WorkOptions = {},
  ): AsyncGenerator<Prediction> {
    const scales = this.#scales;
    if (scales === undefined) throw notFitted();
    const limits = limitsOf(this.#thresholds);
    const together = predictTogether(this.members, images, {
      ...options,
      batch: this.#batch,
      range: this.settings.range,
    });
    for await (const seen of together) {
      if (this.#scales !== scales) {
        throw new TypeError(
          "Cannot go on with a prediction: the ensemble was fitted anew since it began; start it again",
        );
      }
      const prediction = jointPrediction(seen, scales, limits);
      const { name, score, map } = prediction;
      try {
        checkFiniteResult(name, { score, map: map.data, unseen: map.unseen });
      } catch (error) {
        reportImageError(name, error, options);
        continue;
      }
      yield prediction;
    }
  }

  /**
   * Measures which kernels are the best for every member; see
   * {@linkcode PatchCore.tune}.
   *
   * @throws {TypeError} If it is not fitted.
   */
  async tune(): Promise<void> {
    for (const member of this.members) await member.tune();
  }

  /**
   * Checks that models may contain the backbones, before a fit is made for one.
   *
   * @throws {TypeError} If the licence of one asks for a copy of its text, which
   * the backbone's file lacks.
   */
  checkBundle(): void {
    for (const member of this.members) member.checkBundle();
  }

  /**
   * The model file: one valid `.safetensors` with all members.
   *
   * @throws {TypeError} If the ensemble is not fitted.
   */
  save(options: SaveOptions = {}): Uint8Array<ArrayBuffer> {
    return writeEnsembleFile(
      this.#toModel(this.members.map((member) => member.toModel(options))),
    );
  }

  /**
   * Frees the members, and the device if it is the ensemble's own: at once, or
   * when a fit or a batch that is under way has stopped.
   */
  dispose(): void {
    void this[Symbol.asyncDispose]();
  }

  /** Frees at the end of a `using` what {@linkcode Ensemble.dispose} does. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Frees as well, and waits until that is done. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closing = this.members.map((member) => member[Symbol.asyncDispose]());
    await Promise.all(closing);
    if (this.#ownsGpu) this.#gpu.dispose();
  }
}

function notFitted(): TypeError {
  return new TypeError(
    "Cannot use an ensemble that is not fitted: call fit() or Ensemble.load()",
  );
}
