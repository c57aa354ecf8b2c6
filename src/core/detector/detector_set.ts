import { Gpu } from "../../gpu/mod.ts";
import { isEnsembleFile } from "../model/ensemble_file.ts";
import { ModelFileError, type StoredModel } from "../model/stored_model.ts";
import { readModelFile } from "../model/model_file.ts";
import {
  Backbone,
  type BackboneFile,
  type StoredBackbone,
} from "../features/backbone.ts";
import { settingsOf } from "./load.ts";
import { Ensemble } from "./ensemble/ensemble.ts";
import type { LoadOptions } from "./options.ts";
import { PatchCore } from "./patchcore.ts";

/** How {@linkcode DetectorSet.load} loads a model. */
export interface SetLoadOptions
  extends Pick<LoadOptions, "batch" | "precision" | "tuning"> {
  /**
   * Fetches the backbone's ONNX file; called only for a model that is no bundle
   * and whose backbone is not there yet.
   */
  readonly backbone?: (stored: StoredBackbone) => Promise<BackboneFile>;
}

/** A backbone, and how many detectors use it. */
interface SharedBackbone {
  readonly backbone: Promise<Backbone>;
  users: number;
}

/**
 * Fitted detectors on one device. Those whose backbone, layers and precision
 * are the same share its weights.
 */
export class DetectorSet implements Disposable, AsyncDisposable {
  /** The device of all. */
  readonly gpu: Gpu;
  /** Keys of the backbones of each detector. */
  readonly #detectors = new Map<PatchCore | Ensemble, readonly string[]>();
  readonly #backbones = new Map<string, SharedBackbone>();

  private constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  /**
   * An empty set on a device of its own.
   *
   * @throws {GpuError} If there is no WebGPU.
   */
  static async create(): Promise<DetectorSet> {
    return new DetectorSet(await Gpu.create());
  }

  /** How many backbones are on the device. */
  get backbones(): number {
    return this.#backbones.size;
  }

  /**
   * Loads a model of one backbone or several; the detector belongs to the set.
   *
   * @param bytes What `save()` of a detector gave.
   * @param options Where the backbone comes from, size of batches, precision.
   * @throws {ModelFileError} If the file is no model, or its backbone is neither
   * in it nor given.
   */
  async load(
    bytes: Uint8Array,
    options: SetLoadOptions = {},
  ): Promise<PatchCore | Ensemble> {
    const { batch, precision } = options;
    const common = {
      gpu: this.gpu,
      ...(batch !== undefined && { batch }),
      ...(precision !== undefined && { precision }),
    };
    const keys: string[] = [];
    const shared = (model: StoredModel) =>
      this.#backboneOf(model, options, keys);
    try {
      let detector: PatchCore | Ensemble;
      if (isEnsembleFile(bytes)) {
        detector = await Ensemble.load(bytes, { ...common, shared });
      } else {
        const model = readModelFile(bytes);
        detector = await PatchCore.fromModel(model, {
          ...common,
          shared: await shared(model),
        });
      }
      this.#detectors.set(detector, keys);
      return detector;
    } catch (error) {
      await this.#release(keys);
      throw error;
    }
  }

  /**
   * Frees a detector, and its backbones where no other uses them: when the batch
   * that is under way is done.
   *
   * @param detector One that {@linkcode DetectorSet.load} gave.
   */
  async unload(detector: PatchCore | Ensemble): Promise<void> {
    const keys = this.#detectors.get(detector);
    if (keys === undefined) return;
    this.#detectors.delete(detector);
    await detector[Symbol.asyncDispose]();
    await this.#release(keys);
    this.gpu.pool.trim();
  }

  #backboneOf(
    model: StoredModel,
    options: SetLoadOptions,
    keys: string[],
  ): Promise<Backbone> {
    const { layers } = settingsOf(model);
    const { precision = "f32" } = options;
    const key = JSON.stringify([model.backbone.sha256, layers, precision]);
    let shared = this.#backbones.get(key);
    if (shared === undefined) {
      const backbone = this.#loadBackbone(model.backbone, layers, options);
      shared = { backbone, users: 0 };
      this.#backbones.set(key, shared);
    }
    shared.users++;
    keys.push(key);
    return shared.backbone;
  }

  /** Frees backbones that nobody uses any more. */
  async #release(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const shared = this.#backbones.get(key)!;
      if (--shared.users > 0) continue;
      this.#backbones.delete(key);
      await shared.backbone.then((loaded) => loaded.dispose(), () => {});
    }
  }

  async #loadBackbone(
    stored: StoredBackbone,
    layers: readonly string[],
    { backbone: fetchFile, precision = "f32", tuning }: SetLoadOptions,
  ): Promise<Backbone> {
    const { name, onnx } = stored;
    const file = onnx !== undefined
      ? { name, bytes: new Uint8Array(onnx) }
      : await fetchFile?.(stored);
    if (file === undefined) {
      throw new ModelFileError(
        `Cannot load the model: it was fitted with backbone "${name}" and does not contain it; give that ONNX file`,
      );
    }
    return await Backbone.load(this.gpu, file, {
      layers,
      allowRandom: true,
      precision,
      ...(tuning && { tuning }),
    });
  }

  /**
   * Frees the detectors, their backbones and the device: at once, or when the
   * batches that are under way are done.
   */
  dispose(): void {
    void this[Symbol.asyncDispose]();
  }

  /** Frees at the end of a `using` what {@linkcode DetectorSet.dispose} does. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Frees as well, and waits until that is done. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#detectors.keys().map((detector) => detector[Symbol.asyncDispose]()),
    );
    for (const { backbone } of this.#backbones.values()) {
      await backbone.then((loaded) => loaded.dispose(), () => {});
    }
    this.gpu.dispose();
  }
}
