import type { Gpu } from "../../gpu/mod.ts";
import type { TuningStore } from "../../nn/conv_tuning.ts";
import type {
  Settings,
  SettingsOptions,
  ThresholdSettings,
} from "../settings/settings.ts";
import { LIMITS } from "../settings/limits.ts";
import { changedRule, settingsFromJson } from "../settings/resolve_settings.ts";
import type { WeightPrecision } from "../../wgsl/conv2d.ts";
import type { Backbone, BackboneFile, Bundling } from "../features/backbone.ts";
import type { FitPlan } from "./fit/plan.ts";
import type { WorkOptions } from "../features/progress.ts";

/** Images that are scored for the threshold where features do not fit. */
export const THRESHOLD_IMAGES = 1000;

/** Options of `PatchCore.create` beside the method's settings. */
export interface DetectorOptions {
  /** Device to work on; by default one of its own. */
  readonly gpu?: Gpu;
  /** Whether a backbone with random weights is accepted, for tests and benches. */
  readonly allowRandom?: boolean;
  /** Whether kernels are timed, for `PatchCore.kernelTimes`. */
  readonly profile?: boolean;
  /**
   * How the backbone's weights are stored on the GPU, `"f32"` by default:
   * `"f16"` halves them; sums are always float32.
   */
  readonly precision?: WeightPrecision;
  /**
   * Where the kernels that suit the adapter best are kept; they are measured
   * when they are not there. Without it the defaults are used.
   */
  readonly tuning?: TuningStore;
  /**
   * Images or tiles of a batch in fit, and at most in predict; 8 by default.
   * Where that is more than the adapter binds, half of it is taken, and so on.
   */
  readonly batch?: number;
  /**
   * GPU bytes that a fit may allocate; no limit by default, and all features
   * are held at once. Where they do not fit and images come as an array, their
   * projected copies are held, which gives the same bank; images that rows of
   * the bank come from are then loaded again. Where those do not fit, features
   * are reduced bucket by bucket. WebGPU does not tell how much memory there is.
   */
  readonly memoryBudget?: number;
  /**
   * Images that are scored for the threshold where the features do not fit in
   * `memoryBudget`; 1000 by default, drawn with the seed. They are loaded and
   * extracted a second time, so their sources are kept until the end.
   */
  readonly thresholdImages?: number;
}

/** Options of `PatchCore.create`. */
export interface PatchCoreOptions extends SettingsOptions, DetectorOptions {
  /**
   * The backbone's ONNX file, or its name where names are known: in Deno those
   * of `weights list`, of files in the weights folder, paths, and `demo`.
   */
  readonly backbone: BackboneFile | string;
}

/** Options of `PatchCore.load`. */
export interface LoadOptions extends DetectorOptions {
  /**
   * The backbone's ONNX file or name; by default what the model contains, else
   * the file of that name that {@linkcode setBackboneResolver} knows.
   */
  readonly backbone?: BackboneFile | string;
  /**
   * Instead of the file: a backbone that several detectors share, on the device
   * given as `gpu`. It stays when a detector is disposed.
   */
  readonly shared?: Backbone;
}

/** Options of `PatchCore.save`. */
export interface SaveOptions {
  /**
   * Whether the backbone goes into the file as well, no by default; `"small"`:
   * where it has at most 32 MiB and its licence lets it.
   */
  readonly bundle?: Bundling;
  /** How the bank is stored; `"f32"` by default. */
  readonly bankPrecision?: "f32" | "f16";
}

/** Options of `PatchCore.fit`. */
export interface FitOptions extends WorkOptions {
  /**
   * How many images there are, for an iterable that does not tell. Without it
   * and with a memory budget, a bank that is a share of the patches must fit in
   * one bucket.
   */
  readonly count?: number;
  /**
   * What the names of images of a group have in common, shots of one part, say:
   * what the pattern finds there, or its first capture group. Images of a group
   * are not compared with each other for the threshold. By default every image is
   * on its own.
   */
  readonly groupBy?: RegExp;
  /** Called once, after the first batch: what the fit is going to do. */
  readonly onPlan?: (plan: FitPlan) => void;
  /**
   * Which part of all images these are, `[i, n]` with i from 1: the bank keeps
   * twice the rows, of which `mergeModels` chooses.
   */
  readonly shard?: readonly [number, number];
}

/** Options of `PatchCore.append`. */
export interface AppendOptions extends Omit<FitOptions, "shard"> {
  /** A new limit of the bank's rows; the model's own by default. */
  readonly maxBank?: number | null;
  /** A new rule of the threshold; the model's own by default. */
  readonly threshold?: Partial<ThresholdSettings>;
}

/**
 * Checks numbers of a detector's options.
 *
 * @throws {RangeError} If one is not a positive integer.
 */
export function checkDetectorOptions(options: DetectorOptions): void {
  for (
    const [name, value] of [
      ["a batch of", options.batch],
      ["a memory budget of", options.memoryBudget],
      ["thresholds from", options.thresholdImages],
    ] as const
  ) {
    const most = name.includes("batch") ? LIMITS.batch : undefined;
    if (value === undefined) continue;
    if (
      Number.isSafeInteger(value) && value >= 1 && value <= (most ?? Infinity)
    ) {
      continue;
    }
    const unit = name.includes("memory") ? "bytes" : "images";
    throw new RangeError(
      `Cannot use ${name} ${value} ${unit}: expected an integer from 1 ${
        most === undefined ? "up" : `to ${most}`
      }`,
    );
  }
}

/** The method's settings among a detector's options. */
export function settingsIn(options: PatchCoreOptions): SettingsOptions {
  const {
    backbone: _backbone,
    gpu: _gpu,
    allowRandom: _allowRandom,
    batch: _batch,
    profile: _profile,
    precision: _precision,
    tuning: _tuning,
    memoryBudget: _memoryBudget,
    thresholdImages: _thresholdImages,
    ...settings
  } = options;
  return settings;
}

/**
 * A model's settings after images were appended.
 *
 * @throws {RangeError} If a value is not allowed.
 */
export function appendedSettings(
  settings: Settings,
  { maxBank = settings.coreset.maxBank, threshold }: AppendOptions,
): Settings {
  return settingsFromJson({
    ...settings,
    coreset: { ...settings.coreset, maxBank },
    threshold: changedRule(settings.threshold, threshold),
  });
}
