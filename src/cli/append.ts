import type {
  AppendOptions,
  PatchCore,
  StoredThresholds,
} from "../core/mod.ts";
import {
  changedRule,
  resolveSettings,
} from "../core/settings/resolve_settings.ts";
import type {
  RegionSetting,
  Settings,
  SettingsOptions,
} from "../core/settings/settings.ts";
import { shown } from "../core/settings/shown.ts";
import type { Context } from "./command.ts";
import { UsageError } from "./exit.ts";
import type { FitValues } from "./fit_options.ts";
import { loadDetector } from "./model_loading.ts";
import type { JudgingModel } from "./replaced_thresholds.ts";
import { settingsOf } from "./settings_options.ts";

/** A fitted detector that images are added to. */
interface Appending {
  /** The detector of the earlier model. */
  readonly detector: PatchCore;
  /** That model's thresholds. */
  readonly before: JudgingModel;
  /** What may differ from that model. */
  readonly options: Pick<AppendOptions, "maxBank" | "threshold">;
}

/**
 * Loads the model that images are added to.
 *
 * @throws {UsageError} If an option asks for other settings than its own, or it is
 * an ensemble.
 */
export async function loadToAppend(
  path: string,
  values: FitValues & {
    readonly memoryBudget: number;
    readonly region: RegionSetting | undefined;
  },
  context: Context,
): Promise<Appending> {
  const detector = await loadDetector(path, values, context);
  if ("members" in detector) {
    detector.dispose();
    throw new UsageError(
      `Cannot append to "${path}": it is an ensemble, which is fitted as a whole`,
    );
  }
  try {
    const { coreset, threshold } = checkSame(
      detector.settings,
      settingsOf(values, values.region),
      path,
    );
    return {
      detector,
      before: { name: path, model: thresholdsIn(detector.model) },
      options: { maxBank: coreset.maxBank, threshold },
    };
  } catch (error) {
    detector.dispose();
    throw error;
  }
}

/** The thresholds alone, so that the old memory bank is not kept. */
function thresholdsIn(
  { threshold, mapThreshold }: StoredThresholds,
): StoredThresholds {
  return {
    ...(threshold && { threshold }),
    ...(mapThreshold && { mapThreshold }),
  };
}

/**
 * A model's settings with what may change: the limit of the bank's rows and the
 * rule of the threshold.
 *
 * @throws {UsageError} If something else is to change.
 */
function checkSame(
  stored: Settings,
  { preset, coreset, threshold, map, tiles, ...options }: SettingsOptions,
  path: string,
): Settings {
  const { foreground, augment, ...given } = options;
  const base = preset === undefined ? stored : resolveSettings({ preset });
  const { region } = stored;
  const wanted: Settings = {
    ...base,
    ...(region && { region }),
    ...given as Partial<Settings>,
    ...(tiles !== undefined && tiledSettings(tiles)),
    coreset: { ...base.coreset, ...coreset as Partial<Settings["coreset"]> },
    map: { ...base.map, ...map },
    foreground: { ...base.foreground, ...foreground },
    augment: { ...base.augment, ...augment },
    threshold: { ...base.threshold, ...threshold },
  };
  const fixed = (settings: Settings): Record<string, unknown> => ({
    ...settings,
    coreset: { ...settings.coreset, maxBank: null },
    threshold: null,
  });
  const [mine, theirs] = [fixed(wanted), fixed(stored)];
  const other = Object.keys({ ...theirs, ...mine }).find((key) =>
    JSON.stringify(mine[key]) !== JSON.stringify(theirs[key])
  );
  if (other !== undefined) {
    throw new UsageError(
      `Cannot append to "${path}" with ${other} ${
        shown(mine[other])
      }: the model was fitted with ${
        theirs[other] === undefined ? "another" : shown(theirs[other])
      }; leave the option out, or fit anew`,
    );
  }
  return {
    ...wanted,
    coreset: {
      ...wanted.coreset,
      maxBank: wanted.coreset.maxBank ?? stored.coreset.maxBank,
    },
    threshold: changedRule(stored.threshold, threshold),
  };
}

/** Tiles with what is left out, and the input that goes with them. */
function tiledSettings(
  option: NonNullable<SettingsOptions["tiles"]>,
): Partial<Settings> {
  const { tiles, resize, crop, square, multiple } = resolveSettings({
    tiles: option,
  });
  return { ...(tiles && { tiles }), resize, crop, square, multiple };
}
