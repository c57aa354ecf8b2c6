import { DEFAULT_PRESET, type PresetName, PRESETS } from "./presets.ts";
import { checkSettings } from "./check_settings.ts";

/** How the memory bank is thinned out. */
export interface CoresetSettings {
  /**
   * `"greedy"`: minimax facility location (paper §3.2); `"random"`: uniform
   * without replacement; `"none"`: every patch is kept.
   */
  readonly method: "greedy" | "random" | "none";
  /** Share of the training patches that is kept, above 0 and at most 1. */
  readonly ratio: number;
  /** The most rows the bank may have, whatever the ratio; `null`: no limit. */
  readonly maxBank: number | null;
  /** The random projection that the greedy choice works on. */
  readonly projection: ProjectionSettings;
  /**
   * Where the greedy choice starts: `"mean-of-10"` measures from the mean
   * distance to 10 random patches, none of them chosen (published
   * implementation); `"random"` chooses one random patch (anomalib).
   */
  readonly start: "mean-of-10" | "random";
}

/**
 * A random projection: uniform weights as of an untrained `torch.nn.Linear`,
 * Gaussian weights, sparse weights (anomalib), or none.
 */
export type ProjectionSettings =
  | {
    /** Distribution of the weights. */
    readonly kind: "linear" | "gaussian";
    /** Dimensions after the projection. */
    readonly dim: number;
  }
  | {
    /** Sparse weights; the number of patches decides the dimensions. */
    readonly kind: "sparse";
    /** Allowed relative distortion of distances, above 0 and below 1. */
    readonly eps: number;
  }
  | {
    /** The features are taken as they are. */
    readonly kind: "none";
  };

/** How patch scores become an anomaly map. */
export interface MapSettings {
  /** Interpolation from the patch grid to pixels. */
  readonly interpolation: "bilinear" | "nearest";
  /** Standard deviation of the Gaussian in pixels; 0 leaves the map as it is. */
  readonly sigma: number;
  /**
   * What lies beyond the border: `"symmetric"` repeats the edge pixel
   * (SciPy's `reflect`), `"reflect"` does not (PyTorch's `reflect`).
   */
  readonly border: "symmetric" | "reflect";
}

/** How the threshold follows from the scores of the training images. */
export interface ThresholdSettings {
  /** Quantile of the leave-one-image-out scores, 0 to 1; 1 is the maximum. */
  readonly quantile: number;
  /** What the quantile is multiplied with. */
  readonly factor: number;
  /**
   * Quantile of the largest pixels of the training images' maps, 0 to 1: lower
   * than that of scores, so that one odd training image does not leave the
   * masks of anomalous ones empty.
   */
  readonly mapQuantile: number;
}

/** Every switch of the method. Plain data: it survives JSON unchanged. */
export interface Settings {
  /** Input: pixels of the short side, or of both sides when `square`. */
  readonly resize: number;
  /** Whether the input is resized to a square, whatever its aspect ratio. */
  readonly square: boolean;
  /** Input: pixels of the centre crop's sides; `null`: no crop. */
  readonly crop: number | null;
  /** Taps of the backbone; the first one gives the patch grid. */
  readonly layers: readonly string[];
  /** Side of a patch's neighbourhood in feature pixels, odd (paper: p = 3). */
  readonly patchSize: number;
  /** Step between patches in feature pixels (paper: s = 1). */
  readonly stride: number;
  /**
   * Dimensions of each layer after the local aggregation: a number averages
   * the flattened neighbourhood down (or up) to it, `"channels"` averages each
   * channel's window (`AvgPool2d`).
   */
  readonly layerDim: number | "channels";
  /**
   * Dimensions of a patch feature: a number averages the concatenated layers
   * to it, `"concat"` leaves them concatenated.
   */
  readonly dim: number | "concat";
  /** Interpolation of the deeper layers to the first layer's patch grid. */
  readonly merge: "bilinear" | "nearest";
  /** How the memory bank is thinned out. */
  readonly coreset: CoresetSettings;
  /** The distance that scores and maps are made of. */
  readonly distance: "euclidean" | "squared";
  /** Nearest bank rows whose mean distance is a patch's score. */
  readonly neighbours: number;
  /**
   * Bank rows around the nearest one that weigh the image score (paper Eq. 7:
   * b, the nearest one among them); below 2 the score is not weighed.
   */
  readonly reweight: number;
  /** How patch scores become an anomaly map. */
  readonly map: MapSettings;
  /** Seed of all random draws, an integer from 0 to 2³² − 1. */
  readonly seed: number;
  /** How the threshold follows from the scores of the training images. */
  readonly threshold: ThresholdSettings;
}

/** Settings as a user gives them: a preset, and what differs from it. */
export interface SettingsOptions
  extends Partial<Omit<Settings, "coreset" | "map" | "threshold">> {
  /** The preset to start from, `"paper"` by default. */
  readonly preset?: PresetName;
  /** How the memory bank is thinned out; a number is the ratio. */
  readonly coreset?: number | Partial<CoresetSettings>;
  /** How patch scores become an anomaly map. */
  readonly map?: Partial<MapSettings>;
  /** How the threshold follows from the scores of the training images. */
  readonly threshold?: Partial<ThresholdSettings>;
}

/**
 * Completes and checks settings. A value that is `undefined` counts as not
 * given.
 *
 * @param options A preset, and what differs from it.
 * @returns Complete settings, `coreset.ratio` 1 where the method is `"none"`.
 * @throws {TypeError} If an option is unknown or of a wrong type.
 * @throws {RangeError} If a value is not allowed, or two do not go together.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { resolveSettings } from "@patchcore/webgpu/core";
 *
 * const settings = resolveSettings({ preset: "anomalib", coreset: 0.01 });
 * assertEquals(settings.dim, "concat");
 * assertEquals(settings.coreset.ratio, 0.01);
 * ```
 */
export function resolveSettings(options: SettingsOptions = {}): Settings {
  const { preset = DEFAULT_PRESET, coreset, map, threshold, ...rest } = options;
  if (!Object.hasOwn(PRESETS, preset)) {
    throw new RangeError(
      `Cannot use preset "${preset}": expected one of ${
        Object.keys(PRESETS).join(", ")
      }`,
    );
  }
  const base = PRESETS[preset];
  const settings = {
    ...base,
    ...given("settings", rest),
    coreset: completeCoreset(base.coreset, coreset),
    map: { ...base.map, ...given("map", map) },
    threshold: { ...base.threshold, ...given("threshold", threshold) },
  };
  return checkSettings(settings);
}

/**
 * Reads settings back that were stored as JSON; what earlier versions did not
 * have gets its default.
 *
 * @param json All settings, as {@linkcode resolveSettings} returned them.
 * @throws {TypeError} If one is missing, unknown or of a wrong type.
 * @throws {RangeError} If a value is not allowed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { resolveSettings, settingsFromJson } from "@patchcore/webgpu/core";
 *
 * const settings = resolveSettings({ resize: 320 });
 * const stored = JSON.parse(JSON.stringify(settings));
 * assertEquals(settingsFromJson(stored), settings);
 * ```
 */
export function settingsFromJson(
  json: Readonly<Record<string, unknown>>,
): Settings {
  const { threshold } = json;
  const { mapQuantile } = PRESETS[DEFAULT_PRESET].threshold;
  return checkSettings({
    ...json,
    ...(typeof threshold === "object" && {
      threshold: { mapQuantile, ...threshold },
    }),
  });
}

/**
 * How many rows the memory bank gets: the ratio's share of the training
 * patches, rounded down, but at least 1 and at most `maxBank`.
 *
 * @param coreset How the bank is thinned out.
 * @param patches Number of training patches.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { bankRows, resolveSettings } from "@patchcore/webgpu/core";
 *
 * const { coreset } = resolveSettings({ coreset: 0.1 });
 * assertEquals(bankRows(coreset, 784), 78);
 * ```
 */
export function bankRows(coreset: CoresetSettings, patches: number): number {
  if (coreset.method === "none") return patches;
  const share = Math.max(1, Math.floor(patches * coreset.ratio));
  return Math.min(share, coreset.maxBank ?? Infinity, patches);
}

function completeCoreset(
  base: CoresetSettings,
  option: number | Partial<CoresetSettings> | undefined,
): CoresetSettings {
  const changes = typeof option === "number"
    ? { ratio: option }
    : given("coreset", option);
  const coreset = { ...base, ...changes };
  return coreset.method === "none" && !("ratio" in changes)
    ? { ...coreset, ratio: 1 }
    : coreset;
}

function given<T extends object>(
  group: string,
  options: T | undefined,
): Partial<T> {
  if (options === undefined) return {};
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot use ${group} ${JSON.stringify(options)}: expected an object`,
    );
  }
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}
