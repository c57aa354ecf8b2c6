import type { Gpu } from "../../../gpu/mod.ts";
import { assembleModel } from "./assemble.ts";
import { BucketRun } from "./bucket_run.ts";
import {
  FeatureStream,
  type ImageFeed,
} from "../../features/feature_stream.ts";
import type { FitReport } from "./report.ts";
import { type FitParts, type FitWork, secondsSince } from "./run.ts";
import { startFit } from "./fit_start.ts";
import type { ModelOnGpu } from "../load.ts";
import { ProjectedRun } from "./projected_run.ts";
import type { Settings } from "../../settings/settings.ts";
import { stoppable } from "../../features/progress.ts";

/** A model with its memory bank still on the GPU, and what was done. */
export interface FittedModel extends ModelOnGpu {
  /** What was done. */
  readonly report: FitReport;
}

/**
 * Fits a model: features, memory bank, threshold. Where the features outgrow
 * the memory budget, their projected copies are held, which gives the same bank;
 * where those do, too, features are reduced bucket by bucket.
 *
 * @throws {RangeError} If no image could be used or the budget is too small.
 */
export async function fitModel(
  gpu: Gpu,
  parts: FitParts,
  feed: ImageFeed,
  given: FitWork,
): Promise<FittedModel> {
  const options = stoppable(given);
  const start = performance.now();
  gpu.pool.trim();
  gpu.pool.resetPeak();
  const { known, shard, backbone } = parts;
  const settings = shard ? shardSettings(parts.settings) : parts.settings;
  using stream = new FeatureStream(gpu, parts, feed, options);
  const first = await stream.next();
  const images = feed.count;
  const started = await startFit(gpu, stream, first, {
    ...options,
    settings,
    known,
    images,
    areListed: feed.areListed ?? false,
  });
  const work = { gpu, parts: { ...parts, settings }, stream, started, options };
  using run = started.memory.holds === "projections"
    ? new ProjectedRun(work)
    : new BucketRun(work);
  await run.collect(first);
  const finished = await run.finish();
  const { log, earlier, patches } = run;
  const { bank, search } = finished;
  using failed = new DisposableStack();
  failed.use(bank);
  failed.use(search);
  const { radiusBound, threshold, mapThreshold } = finished;
  const coverage = {
    patches,
    ...(radiusBound !== undefined && { radius: radiusBound }),
    ...(shard && { shard: shard.join("/") }),
  };
  const model = await assembleModel(gpu, {
    ...finished,
    coverage,
    names: [...known?.imageNames ?? [], ...log.names],
    sizes: Int32Array.from([
      ...known?.imageSizes ?? [],
      ...log.sizes.flat(),
    ]),
    settings: parts.settings,
    backbone: backbone.stored(),
  });
  const { seconds } = finished;
  const report: FitReport = {
    images: earlier + log.names.length,
    patches,
    bankRows: bank.rows.rows,
    dim: bank.dim,
    threshold: threshold?.value ?? NaN,
    mapThreshold: mapThreshold?.value ?? NaN,
    radius: finished.radius,
    radiusImages: finished.radiusImages,
    radiusBound,
    buckets: run.buckets,
    passes: finished.passes,
    thresholdImages: finished.scored,
    seconds: {
      ...stream.seconds,
      coreset: seconds.coreset + run.reducing,
      threshold: seconds.threshold,
      total: secondsSince(start),
    },
    peakGpuBytes: gpu.peakBytes,
    plannedGpuBytes: started.memory.bytes,
    adapter: gpu.adapterName,
  };
  failed.move();
  return { report, model, bank, search, extractor: stream.takeExtractor() };
}

/** A shard keeps twice the rows, so that a merge has something to choose from. */
function shardSettings(settings: Settings): Settings {
  const { ratio, maxBank } = settings.coreset;
  const coreset = {
    ...settings.coreset,
    ratio: Math.min(1, 2 * ratio),
    maxBank: maxBank === null ? null : 2 * maxBank,
  };
  return { ...settings, coreset };
}
