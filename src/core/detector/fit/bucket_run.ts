import { BankBuilder } from "../../bank/bank_builder.ts";
import { bankRows } from "../../settings/resolve_settings.ts";
import { ImageLog, type LoadedImage } from "../../features/feature_stream.ts";
import {
  type FinishedBank,
  finishStreamed,
  finishWhole,
} from "./finish_bank.ts";
import { wholeFitBytes } from "./fit_memory.ts";
import {
  announce,
  type FitRun,
  type FitRunParts,
  secondsSince,
} from "./run.ts";
import { patchesOf } from "./fit_start.ts";
import { ImageSample } from "../../features/image_sample.ts";
import { RowChooser } from "../../bank/choose_rows.ts";
import { allocateFeatures } from "../../features/training_features.ts";

/**
 * A fit that holds features: all at once where they fit, otherwise a bucket of
 * images after the other, reduced.
 */
export class BucketRun implements FitRun {
  /** Images used. */
  readonly log: ImageLog = new ImageLog();
  /** Images of the model that they are added to. */
  readonly earlier: number;
  /** Seconds of the choices between buckets. */
  reducing = 0;
  readonly #run: FitRunParts;
  readonly #builder: BankBuilder;
  readonly #chooser: RowChooser;
  readonly #sample: ImageSample;
  #isComplete = false;

  /** Allocates space for features. */
  constructor(run: FitRunParts) {
    const { gpu, parts, stream, started, options } = run;
    const { memory: { capacity }, projection } = started;
    const { settings, known } = parts;
    const { patches, paddedDim, dim, height, width } =
      stream.extractor.features;
    this.#run = run;
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
    const { patches } = this.#run.stream.extractor.features;
    const { known } = this.#run.parts;
    return this.log.names.length * patches +
      (known === undefined ? 0 : patchesOf(known, patches));
  }

  /** Buckets that the patches were divided into. */
  get buckets(): number {
    return Math.max(1, this.#builder.reductions);
  }

  /** Extracts all images, reducing what is there whenever the space is full. */
  async collect(first: readonly LoadedImage[]): Promise<void> {
    const { patches } = this.#run.stream.extractor.features;
    for (let batch = first; batch.length > 0;) {
      if (batch.length * patches > this.#builder.room) await this.#reduce();
      const start = performance.now();
      await this.#run.stream.submit(
        batch,
        this.#builder.rows,
        this.#builder.count,
      );
      if (batch === first) {
        const features = this.#builder.rows.head(batch.length * patches);
        await announce(this.#run, features, start);
      }
      this.#sample.add(batch, this.earlier + this.log.names.length);
      this.#builder.add(batch.length);
      this.log.add(batch);
      batch = await this.#run.stream.next();
    }
    await this.#run.stream.wait();
    this.#isComplete = true;
  }

  async #reduce(): Promise<void> {
    const { memory: { layout }, fit } = this.#run.started;
    if (layout === undefined) {
      throw new RangeError(
        fit.images === undefined
          ? `Cannot keep a share of an unknown number of patches: the memory budget is full after ${this.log.names.length} images; tell how many there are (count), or how many rows the bank may have (maxBank)`
          : `Cannot fit: there are more images than the ${fit.images} that were announced`,
      );
    }
    await this.#run.stream.wait();
    const start = performance.now();
    await this.#builder.reduce(
      this.#share(layout.kept),
      (...rows) => this.#chooser.choose(...rows),
    );
    // Every bucket has another size: buffers that are free fit no other.
    this.#run.gpu.pool.trim();
    this.reducing += secondsSince(start);
  }

  /**
   * Rows to keep of those that may be kept in the end, so that nothing chosen
   * has to be dropped before. The first bucket chooses more, as it finds nothing
   * chosen: with the square root, every bucket is covered about equally well.
   */
  #share(most: number): number {
    const { fit: { images, known, settings }, memory } = this.#run.started;
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

  /** Makes the bank, from all features at once where they are all there. */
  async finish(): Promise<FinishedBank> {
    const { gpu, parts, stream, started, options } = this.#run;
    const { settings, known, backbone } = parts;
    const { fit, memory, projection } = started;
    const { extractor, seconds } = stream;
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
      return await finishWhole(gpu, features, settings, options);
    }
    return await finishStreamed(gpu, {
      builder: this.#builder,
      chooser: this.#chooser,
      count: rows,
      sample: this.#sample.images,
      images: names.length,
      block: memory.block,
      backbone,
      extractor,
      settings,
      projection,
      known,
    }, options);
  }

  dispose(): void {
    this.#builder.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
