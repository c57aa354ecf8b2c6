import { Gpu } from "../../gpu/mod.ts";
import type { Category } from "../datasets/dataset.ts";
import { Backbone, type BackboneFile } from "../detector/backbone.ts";
import { resolveSettings, type Settings } from "../settings/settings.ts";
import type { SettingsOptions } from "../settings/settings.ts";
import { evaluateCategory, type EvaluateOptions } from "./evaluate_category.ts";
import type { EvaluationRecord } from "./record.ts";

/** Options of {@linkcode Evaluator.create}. */
export interface EvaluatorOptions {
  /** Device to work on; by default one of its own. */
  readonly gpu?: Gpu;
  /** Whether a backbone with random weights is accepted. */
  readonly allowRandom?: boolean;
}

/** Evaluates categories one after the other with one backbone on one device. */
export class Evaluator implements Disposable {
  /** Every switch of the method. */
  readonly settings: Settings;
  /** The network. */
  readonly backbone: Backbone;
  /** The device. */
  readonly gpu: Gpu;
  readonly #ownsGpu: boolean;

  private constructor(
    gpu: Gpu,
    backbone: Backbone,
    settings: Settings,
    ownsGpu: boolean,
  ) {
    this.gpu = gpu;
    this.backbone = backbone;
    this.settings = settings;
    this.#ownsGpu = ownsGpu;
  }

  /**
   * Loads the backbone.
   *
   * @param file The backbone's ONNX file.
   * @param settings A preset, and what differs from it.
   * @throws {RangeError} If a setting is not allowed.
   * @throws {OnnxError} If the backbone cannot be used.
   * @throws {GpuError} If there is no WebGPU.
   */
  static async create(
    file: BackboneFile,
    settings: SettingsOptions,
    options: EvaluatorOptions = {},
  ): Promise<Evaluator> {
    const resolved = resolveSettings(settings);
    const gpu = options.gpu ?? await Gpu.create();
    try {
      const backbone = await Backbone.load(gpu, file, {
        layers: resolved.layers,
        allowRandom: options.allowRandom ?? false,
      });
      return new Evaluator(gpu, backbone, resolved, options.gpu === undefined);
    } catch (error) {
      if (options.gpu === undefined) gpu.dispose();
      throw error;
    }
  }

  /** Fits and evaluates a category; see {@linkcode evaluateCategory}. */
  async evaluate(
    category: Category,
    options: EvaluateOptions,
  ): Promise<EvaluationRecord[]> {
    return await evaluateCategory(this, category, options);
  }

  /** Frees the backbone, and the device if it is the evaluator's own. */
  dispose(): void {
    this.backbone.dispose();
    if (this.#ownsGpu) this.gpu.dispose();
  }

  /** Same as {@linkcode Evaluator.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
