import { BankBuilder } from "../../bank/bank_builder.ts";
import { chooseBank, RowChooser } from "../../bank/choose_rows.ts";
import { MendedBank } from "../../bank/mended_bank.ts";
import { originsByTile } from "../../bank/tile_origins.ts";
import { ImageLog } from "../../features/feature_stream.ts";
import { ImageSample } from "../../features/image_sample.ts";
import type { Tile } from "../../features/tile.ts";
import {
  allocateFeatures,
  type ExtractedPatches,
} from "../../features/training_features.ts";
import { joinOrigins } from "../../bank/memory_bank.ts";
import { bankRows } from "../../settings/resolve_settings.ts";
import type { Settings } from "../../settings/settings.ts";
import { calibrate } from "../../threshold/calibrate.ts";
import { type Folds, foldsByName } from "../../threshold/folds.ts";
import { wholeFitBytes } from "./plan.ts";
import {
  carriedImages,
  type ChosenRows,
  coverOf,
  type FitRun,
  type PlannedWork,
  scoreAgain,
  type ScoredFit,
} from "./run.ts";
import { announce, secondsSince } from "./time.ts";

/** A bank, what it was chosen from where that is held, and how far that is. */
interface HeldChoice extends ChosenRows {
  /** All features; `undefined` where a bucket took the place of another. */
  readonly features: ExtractedPatches | undefined;
  /** The largest distance of a patch, or of buckets what none can exceed. */
  readonly radius: number | undefined;
}

/**
 * A fit that holds features: all at once where they fit, otherwise a bucket of
 * images after the other, reduced.
 */
export class HeldRun implements FitRun<HeldChoice> {
  readonly log: ImageLog = new ImageLog();
  readonly earlier: number;
  reducing = 0;
  readonly #work: PlannedWork;
  readonly #builder: BankBuilder;
  readonly #chooser: RowChooser;
  readonly #sample: ImageSample;
  #isComplete = false;
  #isWhole = false;

  /** Allocates space for features. */
  constructor(work: PlannedWork) {
    const { gpu, settings, known, stream, options, memory, demand } = work;
    const { capacity } = memory;
    const { features } = stream.extractor;
    const { patches, paddedDim, dim } = features;
    this.#work = work;
    this.earlier = (known?.imageNames.length ?? 0) * demand.inputs;
    this.#builder = new BankBuilder(
      gpu,
      allocateFeatures(gpu, capacity, paddedDim, patches),
      { capacity, dim, grid: features, firstImage: this.earlier },
    );
    this.#chooser = new RowChooser(gpu, {
      settings,
      projection: work.projection,
      folds: () => this.#folds.folds,
      onProgress: (done, total) => {
        options.signal?.throwIfAborted();
        if (this.#isComplete) options.onProgress?.("coreset", done, total);
      },
    });
    this.#sample = new ImageSample(options.thresholdImages, settings.seed);
    if (known === undefined) return;
    const { memoryBank: data, coverage } = known;
    const origin = joinOrigins({
      origin: originsByTile(known.origin, stream.tiles, features),
      view: known.originView,
    }, work.views);
    this.#builder.preload({ data, origin, radius: coverage?.radius ?? NaN });
    this.#chooser.drawn(known.rows, demand.known!.patches);
  }

  get patches(): number {
    const { demand } = this.#work;
    return this.log.views * demand.patches +
      (demand.known?.patches ?? 0);
  }

  get buckets(): number {
    return Math.max(1, this.#builder.reductions);
  }

  /** Extracts all images, reducing what is there whenever the space is full. */
  async collect(first: readonly Tile[]): Promise<void> {
    const { stream, demand: { patches } } = this.#work;
    for (let batch = first; batch.length > 0;) {
      if (batch.length * patches > this.#builder.room) await this.#reduce();
      const start = performance.now();
      const { rows, count } = this.#builder;
      await stream.submit(batch, rows, count);
      if (batch === first) {
        await announce(this.#work, rows.head(batch.length * patches), start);
      }
      this.#sample.add(batch, this.earlier + this.log.views);
      this.#builder.add(batch.length);
      this.log.add(batch);
      batch = await stream.next();
    }
    await stream.wait();
    this.#isComplete = true;
  }

  async #reduce(): Promise<void> {
    const { gpu, stream, memory: { kept }, demand: { images } } = this.#work;
    if (kept === undefined) {
      throw new RangeError(
        images === undefined
          ? `Cannot keep a share of an unknown number of patches: the memory budget is full after ${this.log.names.length} images; tell how many there are (count), or how many rows the bank may have (maxBank)`
          : `Cannot fit: there are more images than the ${images} that were announced`,
      );
    }
    await stream.wait();
    const start = performance.now();
    await this.#builder.reduce(
      this.#share(kept),
      (...rows) => this.#chooser.choose(...rows),
    );
    // Every bucket has another size: buffers that are free fit no other.
    gpu.pool.trim();
    this.reducing += secondsSince(start);
  }

  /**
   * Rows to keep of those that may be kept in the end, so that nothing chosen
   * has to be dropped before. The first bucket chooses more, as it finds nothing
   * chosen: with the square root, every bucket is covered about equally well.
   */
  #share(most: number): number {
    const { settings, memory, demand: { images, inputs, known } } = this.#work;
    const { kept } = this.#builder;
    if (settings.coreset.method === "random") return most;
    const first = known?.rows ?? 0;
    const seen = this.log.views / inputs;
    const share = images === undefined
      ? kept + (memory.capacity - most) / 16
      : first + (most - first) * Math.sqrt(seen / images);
    const wanted = Math.max(kept + 1, Math.round(share));
    return wanted <= most ? wanted : Math.ceil(most / 2);
  }

  /** The folds of all images so far, those of an earlier model included. */
  get #folds(): Folds {
    const { settings, known, options, demand: { images, inputs } } = this.#work;
    const names = [...known?.imageNames ?? [], ...this.log.names];
    const { groupBy } = options;
    // Where rows are chosen while images still come, folds must not change.
    const expected = this.#isWhole
      ? undefined
      : (images ?? Infinity) + this.earlier / inputs;
    return foldsByName(names, settings.seed, {
      ...{ groupBy, expected },
      views: inputs,
    });
  }

  /** Makes the bank, from all features at once where they are all there. */
  async choose(): Promise<HeldChoice> {
    const { gpu, settings, known, stream, options } = this.#work;
    const { demand, projection } = this.#work;
    const { extractor } = stream;
    const { count, reductions } = this.#builder;
    const picks = bankRows(settings.coreset, this.patches);
    const { budget = Infinity } = demand;
    if (
      known === undefined && reductions === 0 &&
      wholeFitBytes(demand, count, picks) <= budget
    ) {
      const features = { rows: this.#builder.rows.head(count), extractor };
      this.#isWhole = true;
      // What is allocated now has memory that was in use already.
      extractor.release();
      gpu.pool.trim();
      const { folds } = this.#folds;
      const chosen = await chooseBank(
        gpu,
        features,
        settings,
        folds,
        options,
      );
      return { ...chosen, features };
    }
    const { bank, radius } = await this.#builder.finish(
      picks,
      (...rows) => this.#chooser.choose(...rows),
    );
    gpu.pool.trim();
    const { passes } = this.#chooser;
    const mends = this.#chooser.mends(bank.rows.dim);
    return { bank, projection, passes, radius, mends, features: undefined };
  }

  /** Scores images, from their features where they are held. */
  async score(chosen: HeldChoice, settings: Settings): Promise<ScoredFit> {
    const { gpu, options, views, tiles, stream } = this.#work;
    const images = this.log.names.length;
    const { bank, features, radius, near, mends } = chosen;
    const folds = this.#folds;
    if (features === undefined) {
      const again = await scoreAgain(
        { ...this.#work, settings },
        chosen,
        this.#sample.images,
        folds,
      );
      return {
        ...again,
        radiusBound: Number.isNaN(radius) ? undefined : radius,
      };
    }
    using mended = await MendedBank.create(
      gpu,
      bank,
      (image) => folds.folds[image]!,
      mends,
    );
    const carry = carriedImages(
      this.#work,
      this.log.names.map((_, image) => image * views),
    );
    const calibration = await calibrate(
      gpu,
      features,
      {
        ...{ mended, folds, near, views, tiles },
        ...(carry && { carry }),
        ...(settings.foreground.mask === "on" && { masks: stream.masks }),
      },
      settings,
      options,
    );
    return {
      ...calibration,
      scored: images,
      ...coverOf(radius, images, settings),
      ...(bank.rows.rows === features.rows.rows && { radiusBound: 0 }),
    };
  }

  [Symbol.dispose](): void {
    this.#builder[Symbol.dispose]();
  }
}
