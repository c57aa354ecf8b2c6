/**
 * What the service's thread and the GPU's thread tell each other.
 *
 * @module
 */
import type { ThresholdChange } from "../../core/mod.ts";
import type { DecodedImage, Inspected } from "./inspection_queue.ts";
import type { ModelInfo } from "./model_info.ts";

/** A model file and what it is called. */
export interface ModelFile {
  /** What `?model=` calls it. */
  readonly name: string;
  /** Path of the file, as the user gave it. */
  readonly path: string;
  /** Thresholds to judge by instead of its own. */
  readonly thresholds?: ThresholdChange;
}

/** What the GPU's thread loads. */
export interface EngineOptions {
  /** What is loaded, one after the other; names are distinct. */
  readonly models: readonly ModelFile[];
  /**
   * Names or paths of backbones: for models that are no bundles, where fit's is
   * not found any more. Which one is whose is known by SHA-256.
   */
  readonly backbone: readonly string[] | undefined;
  /** How the backbones' weights are stored. */
  readonly precision: "f32" | "f16";
  /** Whether the default kernels are kept. */
  readonly noAutotune: boolean;
  /** Images of the largest batch. */
  readonly batch: number;
}

/** A model that was loaded while the service runs. */
export interface LoadedModel {
  /** What clients are told of it. */
  readonly info: ModelInfo;
  /** GPU bytes that it added. */
  readonly bytes: number;
}

/** To the GPU's thread. */
export type EngineRequest =
  | { readonly kind: "open"; readonly options: EngineOptions }
  | { readonly kind: "load"; readonly file: ModelFile }
  | { readonly kind: "unload"; readonly model: string }
  | {
    readonly kind: "score";
    readonly model: string;
    readonly images: readonly DecodedImage[];
  };

/** How an image went: an error crosses threads as its message. */
export type EngineResult = Inspected | { readonly error: string };

/** From the GPU's thread. */
export type EngineReply =
  | {
    readonly kind: "ready";
    readonly adapter: string;
    readonly backbones: number;
    readonly models: readonly ModelInfo[];
  }
  | {
    readonly kind: "failed";
    readonly error: string;
    /** Whether the command line is to blame. */
    readonly usage: boolean;
  }
  | { readonly kind: "loaded"; readonly model: LoadedModel }
  | {
    /** A model could not be loaded; the others are as before. */
    readonly kind: "refused";
    readonly error: string;
  }
  | { readonly kind: "unloaded" }
  | { readonly kind: "scored"; readonly results: readonly EngineResult[] }
  | { readonly kind: "lost"; readonly error: string };
