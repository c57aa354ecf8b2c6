import {
  type BackboneFile,
  DetectorSet,
  type Pixels,
  type Prediction,
  type StoredBackbone,
} from "../../core/mod.ts";
import { inputSize } from "../../core/images/tiles.ts";
import { promiseOf } from "../../core/threshold/rule_facts.ts";
import { scoreReference } from "../../core/threshold/score_drift.ts";
import { sha256 } from "../../core/weights.ts";
import { tellCpuAdapter } from "../adapter_line.ts";
import type { Context } from "../command.ts";
import { readFile } from "../disk.ts";
import { UsageError } from "../exit.ts";
import { trainScoresOf } from "../lessons.ts";
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

/** Work on a model that no image waits for. */
interface Preparation {
  readonly model: string;
  readonly run: () => Promise<unknown>;
}

/** The GPU's thread: the models on one device, one batch at a time. */
export class EngineHost {
  readonly #context: Context;
  readonly #reply: Reply;
  readonly #idle: number;
  readonly #garbage = new Garbage();
  readonly #detectors = new Map<string, Detector>();
  #preparations: Preparation[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #set: DetectorSet | undefined;
  #options: EngineOptions | undefined;
  #last: Promise<void> = Promise.resolve();

  /**
   * @param context Where messages of loading go.
   * @param reply Sends a reply.
   * @param idle Milliseconds without an image after which other work is done.
   */
  constructor(context: Context, reply: Reply, idle = 1000) {
    this.#context = context;
    this.#reply = reply;
    this.#idle = idle;
  }

  /** The detectors, once they are loaded. */
  get set(): DetectorSet | undefined {
    return this.#set;
  }

  /** Does what the service's thread asks for, after what it asked for before. */
  handle(request: EngineRequest): Promise<void> {
    return this.#last = this.#last.then(() => this.#do(request));
  }

  async #do(request: EngineRequest): Promise<void> {
    try {
      switch (request.kind) {
        case "open":
          return await this.#open(request.options);
        case "load":
          return await this.#loadMore(request.file);
        case "unload":
          return await this.#unload(request.model);
        case "score":
          return await this.#score(request.model, request.images);
      }
    } catch (cause) {
      const error = cause instanceof Error ? cause.message : String(cause);
      if (isLoss(cause)) return this.#reply({ kind: "lost", error }, []);
      if (request.kind === "load") {
        return this.#reply({ kind: "refused", error }, []);
      }
      const usage = cause instanceof UsageError;
      this.#reply({ kind: "failed", error, usage }, []);
    }
  }

  async #open(options: EngineOptions): Promise<void> {
    this.#options = options;
    const set = this.#set = await DetectorSet.create();
    void set.gpu.device.lost.then(({ reason, message }) =>
      this.#reply({
        kind: "lost",
        error: `The GPU device was lost: ${message || reason}`,
      }, [])
    );
    tellCpuAdapter(set.gpu, this.#context.terminal);
    const models: ModelInfo[] = [];
    for (const file of options.models) models.push(await this.#add(set, file));
    const { backbones, gpu } = set;
    const ready = { adapter: gpu.adapterName, backbones, models };
    this.#reply({ kind: "ready", ...ready }, []);
    const [, ...larger] = batchSizes(options.batch);
    this.#preparations = this.#preparationsFor([...this.#detectors], larger);
    this.#prepareLater();
  }

  /** Loads a model and prepares it for batches of some sizes. */
  async #add(
    set: DetectorSet,
    file: ModelFile,
    sizes: readonly number[] = [1],
  ): Promise<ModelInfo> {
    const { detector, hash } = await this.#load(
      set,
      file,
      this.#options!,
    );
    try {
      applyThresholds(detector, file.thresholds, {
        path: file.path,
        terminal: this.#context.terminal,
      });
      for (const size of sizes) await predictWhite(detector, size);
    } catch (error) {
      await set.unload(detector);
      throw error;
    }
    this.#detectors.set(file.name, detector);
    return infoOf(file.name, hash, detector);
  }

  /** Loads a model when it is asked for, and tells what all of it takes. */
  async #loadMore(file: ModelFile): Promise<void> {
    const set = this.#set!;
    const { pool } = set.gpu;
    pool.trim();
    const before = pool.bytes;
    const info = await this.#add(set, file, batchSizes(this.#options!.batch));
    pool.trim();
    const model = { info, bytes: Math.max(0, pool.bytes - before) };
    this.#reply({ kind: "loaded", model }, []);
    const added = [[file.name, this.#detectors.get(file.name)!]] as const;
    this.#preparations.push(...this.#preparationsFor(added, []));
    this.#prepareLater();
  }

  async #unload(model: string): Promise<void> {
    const detector = this.#detectors.get(model);
    this.#detectors.delete(model);
    this.#preparations = this.#preparations.filter((of) => of.model !== model);
    if (detector !== undefined) await this.#set!.unload(detector);
    this.#garbage.collect();
    this.#reply({ kind: "unloaded" }, []);
  }

  /**
   * What makes later images fast and no first one waits for: batches of larger
   * sizes compiled and allocated, the best kernels measured.
   */
  #preparationsFor(
    detectors: readonly (readonly [string, Detector])[],
    larger: readonly number[],
  ): Preparation[] {
    const predictions = (sizes: readonly number[]): Preparation[] =>
      detectors.flatMap(([model, detector]) =>
        sizes.map((size) => ({
          model,
          run: () => predictWhite(detector, size),
        }))
      );
    return [
      ...predictions(larger),
      ...detectors.map(([model, detector]) => ({
        model,
        run: () => detector.tune(),
      })),
      ...predictions(batchSizes(this.#options!.batch)),
    ];
  }

  /** Goes on with the preparations once no image has come for a while. */
  #prepareLater(): void {
    clearTimeout(this.#timer);
    if (this.#preparations.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#last = this.#last.then(() => this.#prepare());
    }, this.#idle);
  }

  async #prepare(): Promise<void> {
    try {
      await this.#preparations.shift()?.run();
      this.#prepareLater();
    } catch (error) {
      // A loss is told by the device; all works without what was left.
      if (!isLoss(error)) this.#context.terminal.warn(String(error));
    }
  }

  async #load(
    set: DetectorSet,
    { path }: ModelFile,
    { backbone, precision, noAutotune, batch }: EngineOptions,
  ): Promise<{ readonly detector: Detector; readonly hash: string }> {
    const bytes = await readFile(path);
    const hash = await sha256(bytes);
    const detector = await namingModel(path, () =>
      set.load(bytes, {
        batch,
        precision,
        ...tuningStore(noAutotune, this.#context.terminal),
        backbone: (stored) => backboneOf(stored, path, backbone),
      }));
    return { detector, hash };
  }

  async #score(model: string, images: readonly DecodedImage[]): Promise<void> {
    clearTimeout(this.#timer);
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
    this.#prepareLater();
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

/** Compiles and allocates for batches of a size, so that none of it is slow. */
async function predictWhite(detector: Detector, size: number): Promise<void> {
  // The tiles of one image are batches of the size of all.
  if (size > 1 && detector.settings.tiles !== undefined) return;
  const [width = 1, height = 1] = modelsOf(detector)[0]!.imageSizes;
  const content = {
    width,
    height,
    data: new Uint8Array(width * height * 4).fill(255),
  };
  const images = Array.from({ length: size }, () => ({ name: "", content }));
  // Nothing is lost where a white image tells nothing.
  const onImageError = (): void => {};
  for await (const _ of detector.predict(images, { onImageError }));
}

function infoOf(name: string, hash: string, detector: Detector): ModelInfo {
  const { settings, model } = detector;
  const members = modelsOf(detector);
  const { imageNames, imageSizes } = members[0]!;
  const [width = 1, height = 1] = imageSizes;
  const [rows, columns] = inputSize({ width, height }, settings);
  const { threshold } = model;
  const limit = threshold?.uncertainFrom ?? threshold?.value;
  return {
    name,
    sha256: hash,
    threshold: threshold?.value ?? null,
    uncertain_from: threshold?.uncertainFrom ?? null,
    min_area: model.minArea ?? null,
    input: { width: columns, height: rows },
    members: members.map(({ backbone, rows, dim }) => ({
      backbone: backbone.name,
      backbone_sha256: backbone.sha256,
      bank_rows: rows,
      dim,
    })),
    images: imageNames.length,
    training_scores: scoreReference(trainScoresOf(members), limit) ?? null,
    promised_false_alarms: (threshold && promiseOf(threshold)?.rate) ?? null,
    settings,
    software_version: model.softwareVersion,
  };
}
