import { type Gpu, RowChunks, type Tensor } from "../../gpu/mod.ts";
import { Padim } from "../baselines/padim.ts";
import {
  PADIM_FEATURES,
  type ScoredImages,
  SPADE_FEATURES,
} from "../baselines/scored_images.ts";
import { Spade, type SpadeTaps } from "../baselines/spade.ts";
import type { Backbone } from "../features/backbone.ts";
import { type FeatureExtractor, tapShapes } from "../features/extractor.ts";
import { DEFAULT_PRESET, PRESETS } from "../settings/presets.ts";
import type { Settings } from "../settings/settings.ts";
import type { TapBatch } from "./tap_stream.ts";

/** The paper's other systems. */
export type BaselineName = "spade" | "padim";

/** Layers of both, unless told otherwise. */
export const BASELINE_LAYERS: readonly string[] = [
  "layer1",
  "layer2",
  "layer3",
];

/** How a baseline is made. */
export interface BaselineOptions {
  /** Layers that pixels are compared by, the finest first. */
  readonly layers: readonly string[];
  /** SPADE: the layer whose mean finds similar images. */
  readonly last: string;
  /** PaDiM: dimensions that are kept at random; its own choice by default. */
  readonly dims?: number;
}

/** A baseline that learns and scores batch after batch. */
export interface Baseline extends Disposable {
  /** Learns from a batch of good images. */
  add(batch: TapBatch): Promise<void>;
  /** Ends the fit. */
  finish(): Promise<void>;
  /** Scores a batch. */
  score(batch: TapBatch): Promise<ScoredImages>;
}

/** What a baseline needs to know of the backbone's work. */
interface BaselineInputs {
  /** The device. */
  readonly gpu: Gpu;
  /** The network, tapped at {@linkcode baselineTaps}. */
  readonly backbone: Backbone;
  /** Made with {@linkcode baselineSettings}. */
  readonly extractor: FeatureExtractor;
  /** Training images: memory is taken for so many. */
  readonly images: number;
  /** Images of a batch. */
  readonly batch: number;
  /** Seed of PaDiM's dimensions. */
  readonly seed: number;
}

/** What a baseline taps of the backbone. */
export function baselineTaps(
  method: BaselineName,
  { layers, last }: BaselineOptions,
): readonly string[] {
  return method === "padim" ? layers : [...new Set([...layers, last])];
}

/** Settings whose features are a baseline's; geometry and seed stay. */
export function baselineSettings(
  method: BaselineName,
  settings: Settings,
  options: BaselineOptions,
): Settings {
  const { distance, topShare, foreground, augment } = PRESETS[DEFAULT_PRESET];
  return {
    ...settings,
    ...{ distance, topShare, foreground, augment },
    ...(method === "padim" ? PADIM_FEATURES : SPADE_FEATURES),
    layers: baselineTaps(method, options),
  };
}

/** Allocates a baseline for the images that the extractor was made for. */
export function createBaseline(
  method: BaselineName,
  inputs: BaselineInputs,
  options: BaselineOptions,
): Baseline {
  return method === "padim"
    ? new PadimBaseline(inputs, options)
    : new SpadeBaseline(inputs, options);
}

class SpadeBaseline implements Baseline {
  readonly #spade: Spade;
  readonly #tensors: readonly string[];
  readonly #layers: readonly number[];
  readonly #last: number;

  constructor(
    { gpu, backbone, extractor, images }: BaselineInputs,
    options: BaselineOptions,
  ) {
    const taps = tapShapes(backbone, extractor.input);
    const names = baselineTaps("spade", options);
    this.#tensors = backbone.network.outputs;
    this.#layers = options.layers.map((name) => names.indexOf(name));
    this.#last = names.indexOf(options.last);
    this.#spade = new Spade(gpu, {
      layers: this.#layers.map((i) => taps[i]!),
      last: taps[this.#last]!,
      images,
      size: extractor.input,
    });
  }

  #taps({ session }: TapBatch): SpadeTaps {
    const tap = (i: number): Tensor => session.taps.get(this.#tensors[i]!)!;
    return { layers: this.#layers.map(tap), last: tap(this.#last) };
  }

  async add(batch: TapBatch): Promise<void> {
    await this.#spade.add(this.#taps(batch));
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  async score(batch: TapBatch): Promise<ScoredImages> {
    return await this.#spade.score(this.#taps(batch));
  }

  [Symbol.dispose](): void {
    this.#spade[Symbol.dispose]();
  }
}

class PadimBaseline implements Baseline {
  readonly #gpu: Gpu;
  readonly #padim: Padim;
  readonly #extractor: FeatureExtractor;
  readonly #rows: RowChunks;

  constructor(
    { gpu, extractor, batch, seed }: BaselineInputs,
    { dims }: BaselineOptions,
  ) {
    const { height, width, dim, paddedDim, patches } = extractor.features;
    this.#gpu = gpu;
    this.#extractor = extractor;
    this.#padim = new Padim(gpu, {
      grid: [height, width],
      featureDim: dim,
      size: extractor.input,
      seed,
      ...(dims !== undefined && { dims }),
    });
    this.#rows = RowChunks.allocate(
      gpu,
      batch * patches,
      paddedDim,
      "features of a batch",
      patches,
    );
  }

  async #features({ session }: TapBatch): Promise<void> {
    using program = await this.#extractor.patchProgram(session, this.#rows, 0);
    this.#gpu.submit([program]);
    await this.#gpu.finish();
  }

  async add(batch: TapBatch): Promise<void> {
    await this.#features(batch);
    await this.#padim.add(this.#rows, batch.names.length);
  }

  async finish(): Promise<void> {
    await this.#padim.finish();
  }

  async score(batch: TapBatch): Promise<ScoredImages> {
    await this.#features(batch);
    return await this.#padim.score(this.#rows, batch.names.length);
  }

  [Symbol.dispose](): void {
    this.#padim[Symbol.dispose]();
    this.#rows.dispose();
  }
}
