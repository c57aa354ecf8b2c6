import type { Gpu } from "../../gpu/mod.ts";
import { ConvTuning, type TuningStore } from "../../nn/conv_tuning.ts";
import { Network } from "../../nn/network.ts";
import type { WeightPrecision } from "../../wgsl/conv2d.ts";
import { type ImageLevels, imageLevels } from "../../nn/image_normalization.ts";
import { POSITIONS_KEY } from "../../nn/architectures/architecture.ts";
import { LICENCE_KEY, LICENCE_TEXT_KEY } from "../../nn/known_weights.ts";
import { findTaps } from "../../nn/taps.ts";
import { patchSide } from "../../nn/patch_side.ts";
import { readOnnx, type ReadOnnxOptions } from "../../nn/onnx/read.ts";
import { looksUntrained } from "../../nn/untrained.ts";
import { sha256 } from "../../nn/sha256.ts";
import {
  BYTE_RANGE,
  IMAGENET,
  type Normalisation,
  UNIT_RANGE,
} from "../images/normalise.ts";
import type { NormaliseSetting, Settings } from "../settings/settings.ts";

/** What stands for the deepest tap of a network. */
const LAST = "last";

const NORMALISATIONS: Readonly<Record<ImageLevels, Normalisation>> = {
  imagenet: IMAGENET,
  unit: UNIT_RANGE,
  bytes: BYTE_RANGE,
};

/** The network whose features fill the memory bank. */
export interface StoredBackbone {
  /** Name in the catalogue, or the file's name. */
  readonly name: string;
  /** SHA-256 of the ONNX file, 64 lowercase hexadecimal digits. */
  readonly sha256: string;
  /** Where fit found the file: a path or a name, a hint for the next program. */
  readonly source?: string;
  /**
   * Whose way of fitting positions to the image a transformer was converted
   * for: `hub`, `transformers` or `timm`. Features of one do not fit another.
   */
  readonly positions?: string;
  /** The cut network's ONNX file, when the model is a bundle. */
  readonly onnx?: Uint8Array;
}

/**
 * Whether a model contains its backbone's file: `"small"` where that has at most
 * 32 MiB and its licence lets it.
 */
export type Bundling = boolean | "small";

/** Bytes of a backbone up to which it is small. */
const SMALL = 2 ** 25;

/** A backbone's ONNX file. */
export interface BackboneFile extends ReadOnnxOptions {
  /** Name in the catalogue, or the file's name. */
  readonly name: string;
  /** The file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where it was found; kept in the model as a hint. */
  readonly source?: string;
}

/** How a backbone is loaded. */
export interface BackboneOptions {
  /** Taps, the first one gives the patch grid. */
  readonly layers: readonly string[];
  /** Whether a network with random weights is accepted. */
  readonly allowRandom?: boolean;
  /** How weights are stored on the GPU, `"f32"` by default. */
  readonly precision?: WeightPrecision;
  /** Where measured choices of kernels are kept; none by default. */
  readonly tuning?: TuningStore;
}

/** A backbone on the GPU, cut at its taps. */
export class Backbone implements Disposable {
  /** The device it is on. */
  readonly gpu: Gpu;
  /** What it is tapped at. */
  readonly layers: readonly string[];
  /** Name in the catalogue, or the file's name. */
  readonly name: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string;
  /** The file, for bundles. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where the file was found, if that is known. */
  readonly source: string | undefined;
  /** The network. */
  readonly network: Network;
  /** What its file says of itself. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Pixels of the sides of its patches; 1 where it has none. */
  readonly patch: number;
  readonly #deepest: string;
  readonly #levels: () => ImageLevels;

  private constructor(
    gpu: Gpu,
    layers: readonly string[],
    { name, bytes, source }: BackboneFile,
    sha256: string,
    network: Network,
    { deepest, metadata, patch, levels }: {
      readonly deepest: string;
      readonly metadata: ReadonlyMap<string, string>;
      readonly patch: number;
      readonly levels: () => ImageLevels;
    },
  ) {
    this.gpu = gpu;
    this.layers = layers;
    this.name = name;
    this.bytes = bytes;
    this.source = source;
    this.sha256 = sha256;
    this.network = network;
    this.metadata = metadata;
    this.#deepest = deepest;
    this.patch = patch;
    this.#levels = levels;
  }

  /**
   * Reads, checks and uploads a backbone.
   *
   * @throws {OnnxError} If the file or a tap is unusable.
   * @throws {TypeError} If its weights are random and `allowRandom` is not set.
   */
  static async load(
    gpu: Gpu,
    file: BackboneFile,
    { layers, allowRandom = false, precision = "f32", tuning: store }:
      BackboneOptions,
  ): Promise<Backbone> {
    const graph = await readOnnx(file.bytes, file);
    const { untrained, reason } = looksUntrained(graph);
    if (untrained && !allowRandom) {
      throw new TypeError(
        `Cannot use backbone "${file.name}": its weights are random (${reason}), so its features mean nothing; get trained weights with \`weights pull\`, or allow random ones with --allow-random for tests and benches`,
      );
    }
    const deepest = findTaps(graph).at(-1)?.name ?? LAST;
    const names = layers.map((name) => name === LAST ? deepest : name);
    const network = new Network(gpu, graph, {
      taps: names,
      precision,
      ...(store && { tuning: new ConvTuning(gpu, { store }) }),
    });
    network.check();
    const digest = await sha256(file.bytes);
    const levels = once(() => imageLevels(graph));
    return new Backbone(gpu, names, file, digest, network, {
      deepest,
      metadata: graph.metadata,
      patch: patchSide(graph),
      levels,
    });
  }

  /**
   * Settings with what the network decides of them, checked before any image is
   * read.
   *
   * @throws {OnnxError} If it cannot take images of the size that they fix, or
   * nobody knows in which levels.
   */
  resolved(settings: Settings): Settings {
    const { crop, square, resize, normalise, tiles } = settings;
    this.normalisation(normalise);
    const multiple = settings.multiple === "patch"
      ? this.patch
      : settings.multiple;
    const whole = square ? resize - resize % multiple : undefined;
    const side = tiles?.side ?? crop ?? whole;
    if (side !== undefined && side > 0) {
      this.network.plan([1, 3, side, side]);
    }
    return { ...settings, layers: this.#named(settings.layers), multiple };
  }

  /**
   * What levels have to become: what a setting says, else what the network
   * expects.
   *
   * @throws {OnnxError} If nobody says and it cannot be told.
   */
  normalisation(setting?: NormaliseSetting): Normalisation {
    if (typeof setting === "object") return setting;
    return NORMALISATIONS[setting ?? this.#levels()];
  }

  /**
   * Checks that a detector can use it.
   *
   * @throws {TypeError} If the detector is on another device, or its features
   * come from other layers.
   */
  checkUse(gpu: Gpu | undefined, layers: readonly string[]): void {
    if (gpu !== this.gpu) {
      throw new TypeError(
        `Cannot share backbone "${this.name}": it is on another device; give its own with it`,
      );
    }
    if (this.#named(layers).join() !== this.layers.join()) {
      throw new TypeError(
        `Cannot share backbone "${this.name}": it is tapped at ${this.layers.join()}, the detector needs ${layers.join()}; load it once more for these`,
      );
    }
  }

  #named(layers: readonly string[]): readonly string[] {
    return layers.map((name) => name === LAST ? this.#deepest : name);
  }

  /** Whose way of fitting positions it was converted for, where it says so. */
  get positions(): string | undefined {
    return this.metadata.get(POSITIONS_KEY);
  }

  /**
   * Checks that a model may contain it.
   *
   * @throws {TypeError} If its licence asks for a copy of its text, which the
   * file lacks.
   */
  checkBundle(): void {
    const licence = this.#unmetLicence;
    if (licence === undefined) return;
    throw new TypeError(
      `Cannot bundle backbone "${this.name}": its weights come under the ${licence}, which asks for a copy of its text with them; make the ONNX file again with --licence FILE, or leave the backbone out of the model`,
    );
  }

  /** A licence that asks for a copy of its text, where that is missing. */
  get #unmetLicence(): string | undefined {
    return this.metadata.has(LICENCE_TEXT_KEY)
      ? undefined
      : this.metadata.get(LICENCE_KEY);
  }

  /** Whether a model contains the file. */
  isBundled(bundle: Bundling): boolean {
    return bundle === "small"
      ? this.bytes.length <= SMALL && this.#unmetLicence === undefined
      : bundle;
  }

  /**
   * What a model file says of the backbone; with `bundle` also the file.
   *
   * @throws {TypeError} If it may not be bundled.
   */
  stored(bundle: Bundling = false): StoredBackbone {
    const { name, sha256, source, positions, bytes } = this;
    const isBundled = this.isBundled(bundle);
    if (isBundled) this.checkBundle();
    return {
      name,
      sha256,
      ...(source !== undefined && { source }),
      ...(positions !== undefined && { positions }),
      ...(isBundled && { onnx: bytes }),
    };
  }

  /** Frees the weights. */
  dispose(): void {
    this.network.dispose();
  }

  /** Frees at the end of a `using` what {@linkcode Backbone.dispose} does. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A function that is called when its result is first needed, and lets go of what it was made of. */
function once<T>(make: () => T): () => T {
  let pending: (() => T) | undefined = make;
  let made: T;
  return () => {
    if (pending) {
      made = pending();
      pending = undefined;
    }
    return made;
  };
}
