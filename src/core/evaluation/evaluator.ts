import { Gpu } from "../../gpu/mod.ts";
import { readOnnx } from "../../nn/onnx/read.ts";
import { findTaps } from "../../nn/taps.ts";
import type { TuningStore } from "../../nn/conv_tuning.ts";
import type { Category } from "../datasets/dataset.ts";
import { Backbone, type BackboneFile } from "../features/backbone.ts";
import { checkRegion } from "../features/region_grid.ts";
import { resolveSettings } from "../settings/resolve_settings.ts";
import type { Settings, SettingsOptions } from "../settings/settings.ts";
import {
  BASELINE_LAYERS,
  type BaselineName,
  type BaselineOptions,
  baselineSettings,
} from "./baseline_methods.ts";
import { BaselineRunner } from "./baseline_runner.ts";
import type { EvaluateMethod } from "./evaluate_category.ts";
import { Experiment } from "./experiment.ts";
import type { Variant } from "./fitted_bank.ts";
import type { CategoryWork, Runner } from "./runner.ts";

/** Options of {@linkcode Evaluator.create}. */
interface EvaluatorOptions {
  /** Device to work on; by default one of its own. */
  readonly gpu?: Gpu;
  /** Whether a backbone with random weights is accepted. */
  readonly allowRandom?: boolean;
  /** What is evaluated, `"patchcore"` by default. */
  readonly method?: "patchcore" | BaselineName;
  /** What stands in the place of PatchCore's own parts. */
  readonly variant?: Variant;
  /** Where measured choices of kernels are kept; none by default. */
  readonly tuning?: TuningStore;
}

/** Evaluates categories one after the other with one backbone on one device. */
export class Evaluator implements EvaluateMethod, Disposable {
  /** Every switch of the method. */
  readonly settings: Settings;
  /** The network. */
  readonly backbone: Backbone;
  /** The device. */
  readonly gpu: Gpu;
  readonly #ownsGpu: boolean;
  readonly #start: EvaluateMethod["start"];

  private constructor(
    gpu: Gpu,
    backbone: Backbone,
    settings: Settings,
    ownsGpu: boolean,
    start: EvaluateMethod["start"],
  ) {
    this.gpu = gpu;
    this.backbone = backbone;
    this.settings = settings;
    this.#ownsGpu = ownsGpu;
    this.#start = start;
  }

  /**
   * Loads the backbone.
   *
   * @param settings A preset, and what differs from it. SPADE and PaDiM take
   * the input geometry, `layers` and `seed` of it, PaDiM also `dim`, the
   * dimensions that it keeps.
   * @throws {RangeError} If a setting is not allowed.
   * @throws {OnnxError} If the backbone cannot be used.
   * @throws {GpuError} If there is no WebGPU.
   */
  static async create(
    file: BackboneFile,
    settings: SettingsOptions,
    options: EvaluatorOptions = {},
  ): Promise<Evaluator> {
    const { method = "patchcore", variant } = options;
    if (method !== "patchcore" && settings.region !== undefined) {
      throw new RangeError(
        `Cannot evaluate ${method} with a region: it is PatchCore's`,
      );
    }
    const baseline = method === "patchcore"
      ? undefined
      : { name: method, ...await baselineOptions(file, settings) };
    const given = resolveSettings(settings);
    checkRegion(given);
    if (method !== "patchcore" && given.tiles !== undefined) {
      throw new RangeError(
        `Cannot use tiles with method "${method}": it compares whole images; evaluate PatchCore, or leave tiles out`,
      );
    }
    if (given.tiles?.banks === "position") {
      throw new RangeError(
        "Cannot evaluate a fit with a bank for each place of tiles: fit the model first, and evaluate that",
      );
    }
    const wanted = baseline
      ? baselineSettings(baseline.name, given, baseline)
      : given;
    if (variant?.proxies && wanted.distance === "cosine") {
      throw new RangeError(
        'Cannot use proxies with distance "cosine": they have not the length 1 that it compares; choose another distance, or rows of the images',
      );
    }
    const gpu = options.gpu ?? await Gpu.create();
    try {
      const backbone = await Backbone.load(gpu, file, {
        layers: wanted.layers,
        allowRandom: options.allowRandom ?? false,
        ...(options.tuning && { tuning: options.tuning }),
      });
      const resolved = backbone.resolved(wanted);
      const start = (category: Category, work: CategoryWork) =>
        baseline
          ? Promise.resolve<Runner>(
            new BaselineRunner({ gpu, backbone, ...baseline }, category, work),
          )
          : Experiment.create(gpu, backbone, resolved, category, work, variant);
      const owns = options.gpu === undefined;
      return new Evaluator(gpu, backbone, resolved, owns, start);
    } catch (error) {
      if (options.gpu === undefined) gpu.dispose();
      throw error;
    }
  }

  /** Prepares the method for a category. */
  start(category: Category, work: CategoryWork): Promise<Runner> {
    return this.#start(category, work);
  }

  /** Frees the backbone, and the device if it is the evaluator's own. */
  [Symbol.dispose](): void {
    this.backbone.dispose();
    if (this.#ownsGpu) this.gpu.dispose();
  }
}

/** Layers 1 to 3 unless others are asked for; the last is the network's deepest. */
async function baselineOptions(
  file: BackboneFile,
  { layers = BASELINE_LAYERS, dim }: SettingsOptions,
): Promise<BaselineOptions> {
  const levels = findTaps(await readOnnx(file.bytes, file));
  const last = levels.at(-1)?.name ?? layers.at(-1)!;
  return { layers, last, ...(typeof dim === "number" && { dims: dim }) };
}
