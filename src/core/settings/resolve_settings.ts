import { checkSettings } from "./check_settings.ts";
import { DEFAULT_PRESET, PRESETS } from "./presets.ts";
import type {
  CoresetSettings,
  Settings,
  SettingsOptions,
  ThresholdSettings,
  TileSettings,
} from "./settings.ts";

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
  const { preset = DEFAULT_PRESET, ...changes } = options;
  const { coreset, map, threshold, foreground, augment, ...others } = changes;
  const { tiles, ...rest } = others;
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
    ...(tiles !== undefined && tiledInput(tiles, rest)),
    coreset: completeCoreset(base.coreset, coreset),
    map: { ...base.map, ...given("map", map) },
    foreground: { ...base.foreground, ...given("foreground", foreground) },
    augment: { ...base.augment, ...given("augment", augment) },
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
  const { multiple, resample, topShare, foreground, augment, ...paper } =
    PRESETS[DEFAULT_PRESET];
  return checkSettings({
    ...{ multiple, resample, topShare, foreground, augment },
    ...json,
    ...(typeof threshold === "object" && {
      threshold: { ...paper.threshold, ...threshold },
    }),
  });
}

/**
 * A rule of the threshold with what is given changed: a new promise takes the
 * place of quantiles.
 */
export function changedRule(
  rule: ThresholdSettings,
  given: Partial<ThresholdSettings> = {},
): ThresholdSettings {
  const isPromise = given.falseAlarms !== undefined;
  return {
    ...rule,
    ...(isPromise && { quantile: null, mapQuantile: null }),
    ...given,
  };
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

/** Overlap of tiles as a part of their side, unless another one is given. */
const OVERLAP = 1 / 8;

/** Settings of the input where images are cut into tiles. */
function tiledInput(
  option: NonNullable<SettingsOptions["tiles"]>,
  others: SettingsOptions,
): Partial<Settings> {
  const { side = NaN, ...rest }: Partial<TileSettings> =
    typeof option === "number" ? { side: option } : given("tiles", option);
  const input = {
    ...{ resize: side, crop: null, square: false },
    multiple: 1 as const,
  };
  for (const key of ["resize", "crop", "square", "multiple"] as const) {
    const { [key]: other = input[key] } = others;
    if (other === input[key]) continue;
    throw new RangeError(
      `Cannot use ${key} ${other} with tiles: they are cut from the whole image, at the share of its size that tiles.scale says`,
    );
  }
  const tiles = {
    side,
    overlap: Math.floor(side * OVERLAP),
    scale: 1,
    banks: "shared" as const,
    ...rest,
  };
  return { tiles, ...input };
}

function completeCoreset(
  base: CoresetSettings,
  option: number | Partial<CoresetSettings> | undefined,
): CoresetSettings {
  const changes = typeof option === "number"
    ? { ratio: option }
    : given("coreset", option);
  // A share of all patches, or a limit, is chosen greedily.
  const isThinned = base.method === "none" &&
    !("method" in changes) &&
    ("ratio" in changes && changes.ratio !== 1 ||
      "maxBank" in changes && changes.maxBank !== null);
  const coreset = {
    ...base,
    ...(isThinned && { method: "greedy" as const }),
    ...changes,
  };
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
