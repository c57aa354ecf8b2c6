import { type LoadOptions, readModelFile } from "../core/mod.ts";
import {
  planFit,
  type PlannedImages,
  type PlannedMemory,
  planPredict,
} from "../core/detector/planned_memory.ts";
import { settingsFromJson } from "../core/settings/resolve_settings.ts";
import { measureFit } from "../core/detector/planned_time.ts";
import { planTiles } from "../core/images/tiles.ts";
import type {
  SettingsOptions,
  TileSettings,
} from "../core/settings/settings.ts";
import { Gpu } from "../core/weights.ts";
import { defaultBatch } from "./model_loading.ts";
import type { Facts } from "./network_facts.ts";
import type { Terminal } from "./terminal.ts";
import { tuningStore } from "./tuning_store.ts";

type Backbone = NonNullable<LoadOptions["backbone"]>;

/** Images of a batch of `fit`, or tiles, unless it is told otherwise. */
const FIT_BATCH = 8;

/** A fit that memory is planned for. */
interface FitToPlan {
  /** The network. */
  readonly backbone: Backbone;
  /** Settings of the method. */
  readonly settings: SettingsOptions;
  /** Training images. */
  readonly images: PlannedImages;
  /** Whether the first batch is done, to tell the time of all. */
  readonly isTimed: boolean;
}

/**
 * The GPU memory of a fit with a network and of predictions with the model it
 * gives; what stands in the way, where there is no plan.
 */
export function fitFacts(
  { backbone, settings, images, isTimed }: FitToPlan,
  terminal: Terminal,
): Promise<Facts> {
  return facts(images, async (gpu) => {
    const tuning = tuningStore(false, terminal);
    const options = { ...settings, backbone, ...tuning, batch: FIT_BATCH };
    const fit = await planFit(gpu, options, images);
    const stored = readModelFile(fit.model);
    const batch = defaultBatch(stored);
    const one = { ...images, count: 1 };
    const loading = { backbone, ...tuning, batch };
    const predict = await planPredict(gpu, fit.model, loading, one);
    const { tiles } = settingsFromJson(stored.settings);
    const seconds = isTimed ? await timeFacts(gpu, options, images) : {};
    return { fit, predict, batch, tiles, seconds };
  });
}

/** The same for a model: of predictions with it, and of fitting it again. */
export function refitFacts(
  bytes: Uint8Array,
  { openBackbone, isTimed }: {
    readonly openBackbone: () => Promise<Backbone>;
    readonly isTimed: boolean;
  },
  terminal: Terminal,
): Promise<Facts> {
  const model = readModelFile(bytes);
  const { imageNames, imageSizes } = model;
  const settings = settingsFromJson(model.settings);
  const batch = defaultBatch(model);
  const [width = 1, height = 1] = imageSizes;
  const images = { count: imageNames.length, width, height };
  return facts(images, async (gpu) => {
    const backbone = await openBackbone();
    const tuning = tuningStore(false, terminal);
    const refit = { ...settings, backbone, ...tuning, batch: FIT_BATCH };
    const fit = await planFit(gpu, refit, images);
    const one = { ...images, count: 1 };
    const options = { backbone, ...tuning, batch };
    const predict = await planPredict(gpu, bytes, options, one);
    const seconds = isTimed ? await timeFacts(gpu, refit, images) : {};
    return { fit, predict, batch, tiles: settings.tiles, seconds };
  });
}

/** What a fit and predictions take, and what it is planned for. */
interface Plans {
  readonly fit: PlannedMemory;
  readonly predict: PlannedMemory;
  /** Images or tiles of a batch of predictions. */
  readonly batch: number;
  readonly tiles: TileSettings | undefined;
  /** What is said of the fit's time. */
  readonly seconds: Facts;
}

async function timeFacts(
  gpu: Gpu,
  options: Parameters<typeof measureFit>[1],
  images: PlannedImages,
): Promise<Facts> {
  try {
    return { planned_fit_seconds: await measureFit(gpu, options, images) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { planned_fit_seconds: null, why_no_time: why };
  }
}

function tileFacts(
  { width, height }: PlannedImages,
  tiles: TileSettings,
): Facts {
  const { rows, columns } = planTiles(width, height, tiles);
  const [down, across] = [rows.offsets.length, columns.offsets.length];
  return {
    tiles: { across, down, width: columns.side, height: rows.side },
    tiles_per_image: across * down,
  };
}

async function facts(
  images: PlannedImages,
  plan: (gpu: Gpu) => Promise<Plans>,
): Promise<Facts> {
  try {
    using gpu = await Gpu.create();
    const { fit, predict, batch, tiles, seconds } = await plan(gpu);
    return {
      planned_for: {
        adapter: gpu.adapterName,
        images: images.count,
        image_size: [images.width, images.height],
        ...(tiles && tileFacts(images, tiles)),
      },
      planned_fit_bytes: fit.bytes,
      planned_fit_parts: { batch: FIT_BATCH, ...fit.parts },
      ...seconds,
      planned_predict_bytes: predict.bytes,
      planned_predict_parts: { batch, ...predict.parts },
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      planned_fit_bytes: null,
      planned_predict_bytes: null,
      why_no_plan: why,
    };
  }
}
