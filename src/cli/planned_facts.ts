import { type LoadOptions, readModelFile } from "../core/mod.ts";
import {
  planFit,
  type PlannedImages,
  type PlannedMemory,
  planPredict,
} from "../core/detector/planned_memory.ts";
import { settingsFromJson } from "../core/settings/resolve_settings.ts";
import type { SettingsOptions } from "../core/settings/settings.ts";
import { Gpu } from "../core/weights.ts";
import type { Facts } from "./network_facts.ts";
import type { Terminal } from "./terminal.ts";
import { tuningStore } from "./tuning_store.ts";

type Backbone = NonNullable<LoadOptions["backbone"]>;

/** Images of a batch of `fit` and of `predict`, unless they are told otherwise. */
const FIT_BATCH = 8;
const PREDICT_BATCH = 1;

/** A fit that memory is planned for. */
interface FitToPlan {
  /** The network. */
  readonly backbone: Backbone;
  /** Settings of the method. */
  readonly settings: SettingsOptions;
  /** Training images. */
  readonly images: PlannedImages;
}

/**
 * The GPU memory of a fit with a network and of predictions with the model it
 * gives; what stands in the way, where there is no plan.
 */
export function fitFacts(
  { backbone, settings, images }: FitToPlan,
  terminal: Terminal,
): Promise<Facts> {
  return facts(images, async (gpu) => {
    const tuning = tuningStore(false, terminal);
    const options = { ...settings, backbone, ...tuning, batch: FIT_BATCH };
    const fit = await planFit(gpu, options, images);
    const one = { ...images, count: PREDICT_BATCH };
    const predict = await planPredict(gpu, fit.model, {
      backbone,
      ...tuning,
      batch: PREDICT_BATCH,
    }, one);
    return [fit, predict];
  });
}

/** The same for a model: of predictions with it, and of fitting it again. */
export function refitFacts(
  bytes: Uint8Array,
  openBackbone: () => Promise<Backbone>,
  terminal: Terminal,
): Promise<Facts> {
  const { settings, imageNames, imageSizes } = readModelFile(bytes);
  const [width = 1, height = 1] = imageSizes;
  const images = { count: imageNames.length, width, height };
  return facts(images, async (gpu) => {
    const backbone = await openBackbone();
    const tuning = tuningStore(false, terminal);
    const fit = await planFit(gpu, {
      ...settingsFromJson(settings),
      backbone,
      ...tuning,
      batch: FIT_BATCH,
    }, images);
    const one = { ...images, count: PREDICT_BATCH };
    const options = { backbone, ...tuning, batch: PREDICT_BATCH };
    return [fit, await planPredict(gpu, bytes, options, one)];
  });
}

async function facts(
  images: PlannedImages,
  plan: (gpu: Gpu) => Promise<[PlannedMemory, PlannedMemory]>,
): Promise<Facts> {
  try {
    using gpu = await Gpu.create();
    const [fit, predict] = await plan(gpu);
    return {
      planned_for: {
        adapter: gpu.adapterName,
        images: images.count,
        image_size: [images.width, images.height],
      },
      planned_fit_bytes: fit.bytes,
      planned_fit_parts: { batch: FIT_BATCH, ...fit.parts },
      planned_predict_bytes: predict.bytes,
      planned_predict_parts: { batch: PREDICT_BATCH, ...predict.parts },
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
