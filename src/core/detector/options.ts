import type { Gpu } from "../../gpu/mod.ts";
import type { SettingsOptions } from "../settings/settings.ts";
import type { TuningStore } from "../../nn/conv_tuning.ts";
import type { WeightPrecision } from "../../wgsl/conv2d.ts";
import type { Backbone, BackboneFile } from "./backbone.ts";

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
  /** Images of a batch in fit, and at most in predict; 8 by default. */
  readonly batch?: number;
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
   * the one it was fitted with, found by its name.
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
  /** Whether the backbone goes into the file as well. */
  readonly bundle?: boolean;
  /** How the bank is stored; `"f32"` by default. */
  readonly bankPrecision?: "f32" | "f16";
}
