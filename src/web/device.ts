import {
  type BackboneFile,
  defectRegions,
  type FitReport,
  type NamedImage,
  type OnProgress,
  PatchCore,
  type Pixels,
  type Prediction,
  readModelFile,
  type RegionSetting,
  withThresholds,
  writeModelFile,
} from "../core/mod.ts";
import { loadPixels } from "../core/features/image_source.ts";
import { closeUp, smallCopy } from "../core/report/small_copy.ts";
import { Gpu, isTransformer, readOnnx } from "../core/weights.ts";
import { type Inspection, type Inspector, SHOWN_SIDE } from "./inspector.ts";

/** Images of a batch: few, so that results come soon on a slow GPU. */
const BATCH = 4;

/** Teaches and inspects on this device's GPU. */
export class Device implements Inspector {
  readonly #gpu: Gpu;
  #detector: PatchCore | undefined;
  #training: ReadonlyMap<string, NamedImage> = new Map();

  private constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /**
   * Opens the GPU.
   *
   * @throws {GpuError} If the browser has no WebGPU or no adapter.
   */
  static async open(): Promise<Device> {
    return new Device(await Gpu.create());
  }

  /** Name of the adapter. */
  get adapterName(): string {
    return this.#gpu.adapterName;
  }

  /** The fitted model, if there is one. */
  get model(): PatchCore["model"] | undefined {
    return this.#detector?.model;
  }

  /** What the model inspects of images, where that is not all. */
  get region(): RegionSetting | undefined {
    return this.#detector?.settings.region;
  }

  /** @inheritdoc */
  get about(): string {
    return `this device (${this.adapterName})`;
  }

  /**
   * Fits a model to good parts, with the preset that suits the network. Pictures
   * become squares, so that any size goes.
   *
   * @throws {RangeError} If no picture can be used.
   */
  async teach(
    backbone: BackboneFile,
    images: readonly NamedImage[],
    onProgress: OnProgress,
    onImageError: (name: string, error: Error) => void,
  ): Promise<FitReport> {
    const detector = await PatchCore.create({
      gpu: this.#gpu,
      backbone,
      batch: BATCH,
      square: true,
      ...(isTransformer(await readOnnx(backbone.bytes))
        ? { preset: "dino" }
        : { crop: null }),
    });
    try {
      const report = await detector.fit(images, { onProgress, onImageError });
      this.#adopt(detector, images);
      return report;
    } catch (error) {
      detector.dispose();
      throw error;
    }
  }

  /**
   * Opens a model file.
   *
   * @param backbone Used where the model does not contain its own.
   * @throws {ModelFileError} If the file is no model, or needs another backbone.
   */
  async load(bytes: Uint8Array, backbone: BackboneFile): Promise<void> {
    const model = readModelFile(bytes);
    const isBundle = model.backbone.onnx !== undefined;
    const detector = await PatchCore.fromModel(model, {
      gpu: this.#gpu,
      batch: BATCH,
      ...(!isBundle && { backbone }),
    });
    this.#adopt(detector, []);
  }

  #adopt(detector: PatchCore, training: readonly NamedImage[]): void {
    this.#detector?.dispose();
    this.#detector = detector;
    this.#training = new Map(training.map((image) => [image.name, image]));
  }

  /** The model file with its backbone in it, so that it is all one needs. */
  save(): Uint8Array<ArrayBuffer> {
    return this.#fitted().save({ bundle: true });
  }

  /**
   * The same with another threshold; here the model keeps its own.
   *
   * @param factor What its own is multiplied with.
   * @throws {Error} If the model has none.
   */
  saveWithThreshold(factor: number): Uint8Array<ArrayBuffer> {
    const detector = this.#fitted();
    const { threshold } = detector.model;
    if (threshold === undefined) {
      throw new Error("The model has no threshold that could be changed");
    }
    const { value, uncertainFrom } = threshold;
    const model = withThresholds(detector.toModel({ bundle: true }), {
      score: value * factor,
      ...(uncertainFrom !== undefined && {
        uncertainFrom: uncertainFrom * factor,
      }),
      rule: { scores: "none: set by eye on the page", factor, before: value },
    });
    return writeModelFile(model);
  }

  #fitted(): PatchCore {
    if (this.#detector !== undefined) return this.#detector;
    throw new Error("There is no model yet: teach good parts, or open one");
  }

  /** @inheritdoc */
  async *inspect(
    images: readonly NamedImage[],
    onError: (error: unknown) => void,
  ): AsyncGenerator<Inspection> {
    const training = this.#training;
    const predictions = this.#fitted().predict(images, {
      onImageError: (_, error) => onError(error),
    });
    for await (const prediction of predictions) {
      const nearest = training.get(prediction.worstPatch.nearest.image);
      yield shown(
        prediction,
        nearest &&
          await loadPixels(nearest, { range: this.#fitted().settings.range }),
      );
    }
  }
}

/** A prediction as the page shows it, with the training image it points at. */
function shown(prediction: Prediction, training?: Pixels): Inspection {
  const { name, score, label, threshold, uncertainFrom } = prediction;
  const { map, worstPatch, ms } = prediction;
  const { nearest } = worstPatch;
  const { x, y } = nearest.box;
  return {
    ...smallCopy(prediction, SHOWN_SIDE),
    name,
    score,
    threshold,
    uncertainFrom,
    mapThreshold: map.threshold,
    label,
    size: { width: map.geometry.width, height: map.geometry.height },
    regions: defectRegions(map),
    minArea: map.minArea ?? null,
    nearest: {
      name: nearest.image,
      x,
      y,
      ...(training && { closeUp: closeUp(training, nearest.box, SHOWN_SIDE) }),
    },
    ms: ms.total,
  };
}
