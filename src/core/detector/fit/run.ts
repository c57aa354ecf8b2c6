import type { Gpu, RowChunks } from "../../../gpu/mod.ts";
import type { StoredModel } from "../../model/stored_model.ts";
import type { Settings } from "../../settings/settings.ts";
import type { Backbone } from "../../features/backbone.ts";
import type {
  ExtractOptions,
  FeatureStream,
  ImageLog,
  LoadedImage,
} from "../../features/feature_stream.ts";
import type { FinishedBank } from "./finish_bank.ts";
import type { FitPlan } from "./plan.ts";
import type { StartedFit } from "./fit_start.ts";
import { expectation } from "./time.ts";

/** What a fit works on. */
export interface FitParts {
  /** The network, tapped at the settings' layers. */
  readonly backbone: Backbone;
  /** Every switch of the method. */
  readonly settings: Settings;
  /** A model that the images are added to; by default none. */
  readonly known?: StoredModel;
  /** Which part of all images these are, `[i, n]`; by default all. */
  readonly shard?: readonly [number, number];
}

/** How a fit works. */
export interface FitWork extends ExtractOptions {
  /** GPU bytes that may be allocated; `undefined`: no limit. */
  readonly memoryBudget: number | undefined;
  /** Images that are scored for the threshold when features do not fit. */
  readonly thresholdImages: number;
  /** Called once the first batch is done, before all other work. */
  readonly onPlan?: (plan: FitPlan) => void;
}

/** What a {@linkcode FitRun} works with. */
export interface FitRunParts {
  /** The device. */
  readonly gpu: Gpu;
  /** Backbone, settings and, where there is one, the model to add to. */
  readonly parts: FitParts;
  /** The images. */
  readonly stream: FeatureStream;
  /** How memory is divided. */
  readonly started: StartedFit;
  /** Progress, cancelling, what is scored. */
  readonly options: FitWork;
}

/** Collects patches and makes the bank of them. */
export interface FitRun extends Disposable {
  /** Images used. */
  readonly log: ImageLog;
  /** Images of the model that they are added to. */
  readonly earlier: number;
  /** Patches that the bank stands for, those of the earlier model included. */
  readonly patches: number;
  /** Buckets that the patches were divided into. */
  readonly buckets: number;
  /** Seconds of the choices between buckets. */
  readonly reducing: number;
  /**
   * Extracts all images.
   *
   * @param first The stream's first batch.
   */
  collect(first: readonly LoadedImage[]): Promise<void>;
  /** Makes the bank. */
  finish(): Promise<FinishedBank>;
}

/**
 * Tells the plan, with the time that the first batch lets expect.
 *
 * @param run The fit.
 * @param features Features of that batch.
 * @param start When it started, in milliseconds.
 */
export async function announce(
  { gpu, stream, started, options }: FitRunParts,
  features: RowChunks,
  start: number,
): Promise<void> {
  const { onPlan, thresholdImages } = options;
  if (onPlan === undefined) return;
  await stream.wait();
  const elapsed = secondsSince(start);
  const { decode, trunk, patches } = stream.seconds;
  const { dim, patches: perImage } = stream.extractor.features;
  const seconds = decode + (trunk + patches || elapsed);
  onPlan(
    await expectation(gpu, {
      ...started,
      dim,
      thresholdImages,
      imageSeconds: seconds * perImage / features.rows,
      features,
    }),
  );
}

/** Seconds since a moment of `performance.now()`. */
export function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}
