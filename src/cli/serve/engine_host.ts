import {
  type BackboneFile,
  DetectorSet,
  type Pixels,
  type Prediction,
  type StoredBackbone,
} from "../../core/mod.ts";
import { inputSize } from "../../core/images/tiles.ts";
import { sha256 } from "../../core/weights.ts";
import type { Context } from "../command.ts";
import { readFile } from "../disk.ts";
import { UsageError } from "../exit.ts";
import { localBackbone, storedBackbone } from "../load_backbone.ts";
import { type Detector, modelsOf, namingModel } from "../model_loading.ts";
import { applyThresholds } from "../threshold_options.ts";
import { tuningStore } from "../tuning_store.ts";
import type {
  EngineOptions,
  EngineReply,
  EngineRequest,
  EngineResult,
  ModelFile,
} from "./engine_messages.ts";
import { Garbage } from "./garbage.ts";
import { batchSizes, type DecodedImage } from "./inspection_queue.ts";
import type { ModelInfo } from "./model_info.ts";

/** Sends a reply to the service's thread. */
export type Reply = (message: EngineReply, transfer: Transferable[]) => void;

/** The GPU's thread: the models on one device, one batch at a time. */
export class EngineHost {
  readonly #context: Context;
  readonly #reply: Reply;
  readonly #garbage = new Garbage();
  readonly #detectors = new Map<string, Detector>();
  #set: DetectorSet | undefined;

  /**
   * @param context Where messages of loading go.
   * @param reply Sends a reply.
   */
  constructor(context: Context, reply: Reply) {
    this.#context = context;
    this.#reply = reply;
  }

  /** The detectors, once they are loaded. */
  get set(): DetectorSet | undefined {
    return this.#set;
  }

  /** Does what the service's thread asks for. */
  async handle(request: EngineRequest): Promise<void> {
    try {
      if (request.kind === "open") await this.#open(request.options);
      else await this.#score(request.model, request.images);
    } catch (cause) {
      const error = cause instanceof Error ? cause.message : String(cause);
      if (isLoss(cause)) return this.#reply({ kind: "lost", error }, []);
      const usage = cause instanceof UsageError;
      this.#reply({ kind: "failed", error, usage }, []);
    }
  }

  async #open(options: EngineOptions): Promise<void> {
    const set = this.#set = await DetectorSet.create();
    void set.gpu.device.lost.then(({ reason, message }) =>
      this.#reply({
        kind: "lost",
        error: `The GPU device was lost: ${message || reason}`,
      }, [])
    );
    const models: ModelInfo[] = [];
    for (const file of options.models) {
      const detector = await this.#load(set, file, options);
      applyThresholds(detector, file.thresholds, {
        path: file.path,
        terminal: this.#context.terminal,
      });
      this.#detectors.set(file.name, detector);
      await warmUp(detector, options.batch);
      models.push(infoOf(file.name, detector));
    }
    const { backbones, gpu } = set;
    const ready = { adapter: gpu.adapterName, backbones, models };
    this.#reply({ kind: "ready", ...ready }, []);
  }

  async #load(
    set: DetectorSet,
    { path }: ModelFile,
    { backbone, precision, noAutotune, batch }: EngineOptions,
  ): Promise<Detector> {
    const bytes = await readFile(path);
    return await namingModel(path, () =>
      set.load(bytes, {
        batch,
        precision,
        ...tuningStore(noAutotune, this.#context.terminal),
        backbone: (stored) => backboneOf(stored, path, backbone),
      }));
  }

  async #score(model: string, images: readonly DecodedImage[]): Promise<void> {
    const detector = this.#detectors.get(model)!;
    const results: EngineResult[] = [];
    const sources = images.map(({ pixels }, i) => ({
      name: String(i),
      content: pixels,
    }));
    const predictions = detector.predict(sources, {
      onImageError: (index, { message }) => {
        // Here images are called by their number.
        const { name } = images[Number(index)]!;
        const error = message.replace(`"${index}"`, () => `"${name}"`);
        results[Number(index)] = { error };
      },
    });
    const transfer: Transferable[] = [];
    for await (const { image, ...prediction } of predictions) {
      const index = Number(prediction.name);
      const { name, keepPixels } = images[index]!;
      results[index] = {
        ...prediction,
        name,
        ...(keepPixels && { image }),
      };
      transfer.push(...buffersOf(prediction, keepPixels ? image : undefined));
    }
    this.#reply({ kind: "scored", results }, transfer);
    this.#garbage.add();
  }
}

/** The file of a model's backbone: one of those given, or that of the fit. */
async function backboneOf(
  stored: StoredBackbone,
  model: string,
  given: EngineOptions["backbone"],
): Promise<BackboneFile> {
  for (const path of given ?? []) {
    const file = await localBackbone(path);
    if (await sha256(file.bytes) === stored.sha256) return file;
  }
  return await storedBackbone(stored, model);
}

function buffersOf(
  { map }: Pick<Prediction, "map">,
  image: Pixels | undefined,
): Transferable[] {
  const map_ = map.data.buffer as ArrayBuffer;
  return image === undefined
    ? [map_]
    : [map_, image.data.buffer as ArrayBuffer];
}

function isLoss(error: unknown): boolean {
  return error instanceof Error && error.name === "GpuLostError";
}

/** Compiles and allocates for batches of every size, so that none is slow. */
async function warmUp(detector: Detector, batch: number): Promise<void> {
  const [width = 1, height = 1] = modelsOf(detector)[0]!.imageSizes;
  const content = {
    width,
    height,
    data: new Uint8Array(width * height * 4).fill(255),
  };
  // The tiles of one image are batches of the size of all.
  const sizes = detector.settings.tiles ? [1] : batchSizes(batch);
  for (const size of sizes) {
    const images = Array.from({ length: size }, () => ({ name: "", content }));
    // Nothing is lost where a white image tells nothing.
    const onImageError = (): void => {};
    for await (const _ of detector.predict(images, { onImageError }));
  }
}

function infoOf(name: string, detector: Detector): ModelInfo {
  const { settings, model } = detector;
  const members = modelsOf(detector);
  const { imageNames, imageSizes } = members[0]!;
  const [width = 1, height = 1] = imageSizes;
  const [rows, columns] = inputSize({ width, height }, settings);
  return {
    name,
    threshold: model.threshold?.value ?? null,
    uncertain_from: model.threshold?.uncertainFrom ?? null,
    input: { width: columns, height: rows },
    members: members.map(({ backbone, rows, dim }) => ({
      backbone: backbone.name,
      backbone_sha256: backbone.sha256,
      bank_rows: rows,
      dim,
    })),
    images: imageNames.length,
    settings,
    software_version: model.softwareVersion,
  };
}
