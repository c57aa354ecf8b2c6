import type { Gpu } from "../../gpu/mod.ts";
import { BankBuilder } from "../bank/bank_builder.ts";
import type { StoredModel } from "../bank/stored_model.ts";
import { bankRows, type Settings } from "../settings/settings.ts";
import { assembleModel } from "./assemble.ts";
import type { Backbone } from "./backbone.ts";
import {
  type ExtractOptions,
  FeatureStream,
  type ImageFeed,
  ImageLog,
  type LoadedImage,
} from "./feature_stream.ts";
import {
  type FinishedBank,
  finishStreamed,
  finishWhole,
} from "./finish_bank.ts";
import { wholeFitBytes } from "./fit_memory.ts";
import type { FitPlan } from "./fit_plan.ts";
import type { FitReport } from "./fit_report.ts";
import { patchesOf, type StartedFit, startFit } from "./fit_start.ts";
import { expectation } from "./fit_time.ts";
import { ImageSample } from "./image_sample.ts";
import type { InspectorParts } from "./inspector.ts";
import { RowChooser } from "./row_chooser.ts";
import { stoppable } from "./stoppable.ts";
import { allocateFeatures } from "./training_features.ts";

/** A model with its memory bank still on the GPU, and what was done. */
export interface FittedModel extends InspectorParts {
  /** What was done. */
  readonly report: FitReport;
}

/** What {@linkcode fitModel} fits with. */
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

/** How {@linkcode fitModel} works. */
export interface FitWork extends ExtractOptions {
  /** GPU bytes that may be allocated; `undefined`: no limit. */
  readonly memoryBudget: number | undefined;
  /** Images that are scored for the threshold when features do not fit. */
  readonly thresholdImages: number;
  /** Called once the first batch is done, before all other work. */
  readonly onPlan?: (plan: FitPlan) => void;
}

/**
 * Fits a model: features, memory bank, threshold. Where the features outgrow
 * the memory budget they are reduced bucket by bucket; where they do not, the
 * budget changes nothing.
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
  });
  const work = { ...parts, settings };
  using run = new FitRun(gpu, work, stream, started, options);
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

/** Collects patches and makes the bank of them. */
class FitRun implements Disposable {
  /** Images used. */
  readonly log: ImageLog = new ImageLog();
  /** Images of the model that they are added to. */
  readonly earlier: number;
  /** Seconds of the choices between buckets. */
  reducing = 0;
  readonly #gpu: Gpu;
  readonly #parts: FitParts;
  readonly #stream: FeatureStream;
  readonly #started: StartedFit;
  readonly #options: FitWork;
  readonly #builder: BankBuilder;
  readonly #chooser: RowChooser;
  readonly #sample: ImageSample;
  #isComplete = false;

  constructor(
    gpu: Gpu,
    parts: FitParts,
    stream: FeatureStream,
    started: StartedFit,
    options: FitWork,
  ) {
    const { memory: { capacity }, projection } = started;
    const { settings, known } = parts;
    const { patches, paddedDim, dim, height, width } =
      stream.extractor.features;
    this.#gpu = gpu;
    this.#parts = parts;
    this.#stream = stream;
    this.#started = started;
    this.#options = options;
    this.earlier = known?.imageNames.length ?? 0;
    this.#builder = new BankBuilder(
      gpu,
      allocateFeatures(gpu, capacity, paddedDim, patches),
      { capacity, dim, grid: { height, width }, firstImage: this.earlier },
    );
    this.#chooser = new RowChooser(gpu, {
      settings,
      projection,
      onProgress: (done, total) => {
        options.signal?.throwIfAborted();
        if (this.#isComplete) options.onProgress?.("coreset", done, total);
      },
    });
    this.#sample = new ImageSample(options.thresholdImages, settings.seed);
    if (known === undefined) return;
    const { memoryBank: data, origin, coverage } = known;
    this.#builder.preload({ data, origin, radius: coverage?.radius ?? NaN });
    this.#chooser.drawn(known.rows, patchesOf(known, patches));
  }

  /** Patches that the bank stands for, those of the earlier model included. */
  get patches(): number {
    const { patches } = this.#stream.extractor.features;
    const { known } = this.#parts;
    return this.log.names.length * patches +
      (known === undefined ? 0 : patchesOf(known, patches));
  }

  /** Buckets that the patches were divided into. */
  get buckets(): number {
    return Math.max(1, this.#builder.reductions);
  }

  /** Extracts all images, reducing what is there whenever the space is full. */
  async collect(first: readonly LoadedImage[]): Promise<void> {
    const { patches } = this.#stream.extractor.features;
    for (let batch = first; batch.length > 0;) {
      if (batch.length * patches > this.#builder.room) await this.#reduce();
      const start = performance.now();
      await this.#stream.submit(batch, this.#builder.rows, this.#builder.count);
      if (batch === first) await this.#announce(batch.length, start);
      this.#sample.add(batch, this.earlier + this.log.names.length);
      this.#builder.add(batch.length);
      this.log.add(batch);
      batch = await this.#stream.next();
    }
    await this.#stream.wait();
    this.#isComplete = true;
  }

  async #reduce(): Promise<void> {
    const { memory: { layout }, fit } = this.#started;
    if (layout === undefined) {
      throw new RangeError(
        fit.images === undefined
          ? `Cannot keep a share of an unknown number of patches: the memory budget is full after ${this.log.names.length} images; tell how many there are (count), or how many rows the bank may have (maxBank)`
          : `Cannot fit: there are more images than the ${fit.images} that were announced`,
      );
    }
    await this.#stream.wait();
    const start = performance.now();
    await this.#builder.reduce(
      this.#share(layout.kept),
      (...rows) => this.#chooser.choose(...rows),
    );
    // Every bucket has another size: buffers that are free fit no other.
    this.#gpu.pool.trim();
    this.reducing += secondsSince(start);
  }

  /**
   * Rows to keep of those that may be kept in the end, so that nothing chosen
   * has to be dropped before. The first bucket chooses more, as it finds nothing
   * chosen: with the square root, every bucket is covered about equally well.
   */
  #share(most: number): number {
    const { fit: { images, known, settings }, memory } = this.#started;
    const { kept } = this.#builder;
    if (settings.coreset.method === "random") return most;
    const first = known?.rows ?? 0;
    const seen = this.log.names.length;
    const share = images === undefined
      ? kept + (memory.capacity - most) / 16
      : first + (most - first) * Math.sqrt(seen / images);
    const wanted = Math.max(kept + 1, Math.round(share));
    return wanted <= most ? wanted : Math.ceil(most / 2);
  }

  /** Tells the plan, with the time that the first batch lets expect. */
  async #announce(images: number, start: number): Promise<void> {
    const { onPlan, thresholdImages } = this.#options;
    if (onPlan === undefined) return;
    await this.#stream.wait();
    const elapsed = secondsSince(start);
    const { decode, trunk, patches } = this.#stream.seconds;
    const { features } = this.#stream.extractor;
    onPlan(
      await expectation(this.#gpu, {
        ...this.#started,
        dim: features.dim,
        thresholdImages,
        imageSeconds: (decode + (trunk + patches || elapsed)) / images,
        features: this.#builder.rows.head(images * features.patches),
      }),
    );
  }

  /** Makes the bank, from all features at once where they are all there. */
  async finish(): Promise<FinishedBank> {
    const gpu = this.#gpu;
    const { settings, known, backbone } = this.#parts;
    const { fit, memory, projection } = this.#started;
    const { extractor, seconds } = this.#stream;
    const { names, sizes } = this.log;
    const { count } = this.#builder;
    const rows = bankRows(settings.coreset, this.patches);
    const { budget = Infinity } = fit;
    if (
      known === undefined && this.#builder.reductions === 0 &&
      wholeFitBytes(fit.sizes, count, rows) <= budget
    ) {
      const features = {
        rows: this.#builder.rows.head(count),
        extractor,
        names,
        sizes,
        seconds,
        [Symbol.dispose]: () => {},
      };
      return await finishWhole(gpu, features, settings, this.#options);
    }
    return await finishStreamed(gpu, {
      builder: this.#builder,
      chooser: this.#chooser,
      count: rows,
      sample: this.#sample.images,
      images: names.length,
      block: memory.layout?.block ?? this.#options.batch,
      backbone,
      extractor,
      settings,
      projection,
      known,
    }, this.#options);
  }

  dispose(): void {
    this.#builder.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
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

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}
