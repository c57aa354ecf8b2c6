import { RowChunks } from "../../../gpu/mod.ts";
import { ownedMends, pickRows } from "../../bank/choose_rows.ts";
import { NO_MENDS } from "../../bank/mends.ts";
import { MemoryBank, originsOf } from "../../bank/memory_bank.ts";
import { FeatureStream, ImageLog } from "../../features/feature_stream.ts";
import { ImageSample } from "../../features/image_sample.ts";
import type { NamedImage } from "../../features/image_source.ts";
import type { Tile } from "../../features/tile.ts";
import { allocateFeatures } from "../../features/training_features.ts";
import { Projector } from "../../rows/projection.ts";
import { copyRowSpans, gatherRows } from "../../rows/row_sets.ts";
import { bankRows } from "../../settings/resolve_settings.ts";
import type { Settings } from "../../settings/settings.ts";
import { type Folds, foldsByName } from "../../threshold/folds.ts";
import {
  type ChosenRows,
  coverOf,
  type FitRun,
  type PlannedWork,
  scoreAgain,
  type ScoredFit,
} from "./run.ts";
import { announce } from "./time.ts";

/** A bank, and how far patches are from it. */
interface ProjectedChoice extends ChosenRows {
  /** The largest distance that the choice left. */
  readonly radius: number;
}

/**
 * A fit that holds the projected copies of all features, which are all that the
 * greedy choice looks at: it chooses the same rows as with the features, which
 * are then fetched by extracting their images again.
 */
export class ProjectedRun implements FitRun<ProjectedChoice> {
  readonly log: ImageLog = new ImageLog();
  readonly earlier = 0;
  readonly buckets = 1;
  readonly reducing = 0;
  readonly #work: PlannedWork;
  readonly #projector: Projector;
  readonly #rows: RowChunks;
  readonly #sources: NamedImage[] = [];
  readonly #sample: ImageSample;

  /** Allocates space for projected rows. */
  constructor(work: PlannedWork) {
    const { gpu, settings, options, memory, demand } = work;
    this.#work = work;
    this.#sample = new ImageSample(options.thresholdImages, settings.seed);
    using failed = new DisposableStack();
    const projector = failed.use(
      new Projector(gpu, demand.dim, work.projection!),
    );
    this.#projector = projector;
    this.#rows = RowChunks.allocate(
      gpu,
      memory.capacity,
      projector.columns,
      "projected",
      demand.patches,
    );
    failed.move();
  }

  get patches(): number {
    return this.log.views * this.#work.demand.patches;
  }

  /** Extracts all images and keeps their projected features. */
  async collect(first: readonly Tile[]): Promise<void> {
    const { gpu, stream, demand: { patches, dim } } = this.#work;
    const most = stream.batch * patches;
    using features = allocateFeatures(gpu, most, dim, patches);
    for (let batch = first; batch.length > 0; batch = await stream.next()) {
      const start = performance.now();
      await stream.submit(batch, features, 0);
      const rows = features.head(batch.length * patches);
      await this.#projector.run(rows, this.#rows, this.patches);
      if (batch === first) await announce(this.#work, rows, start);
      this.#sample.add(batch, this.log.views);
      this.log.add(batch);
      for (const { image: { source }, order } of batch) {
        if (order === 0) this.#sources.push(source);
      }
    }
    await stream.wait();
  }

  get #folds(): Folds {
    const { settings, options, demand } = this.#work;
    const { groupBy } = options;
    return foldsByName(this.log.names, settings.seed, {
      groupBy,
      views: demand.inputs,
    });
  }

  /** Chooses from the projected features and fetches the rows themselves. */
  async choose(): Promise<ProjectedChoice> {
    const { gpu, settings, options, memory, projection, demand } = this.#work;
    const { patches } = this;
    const count = bankRows(settings.coreset, patches);
    const isPart = count < patches;
    const { folds } = this.#folds;
    const chosen = isPart
      ? await pickRows(
        gpu,
        this.#rows.head(patches),
        count,
        Uint32Array.from(
          { length: patches },
          (_, row) => folds[Math.floor(row / demand.patches)]!,
        ),
        settings,
        { ...options, lean: memory.lean },
      )
      : {
        indices: Uint32Array.from({ length: patches }, (_, row) => row),
        radius: 0,
        passes: 0,
        near: undefined,
        mends: NO_MENDS,
      };
    this.#rows.dispose();
    gpu.pool.trim();
    const { indices, radius, passes, near, mends } = chosen;
    const { bank, rest } = await this.#fetch(indices, mends.rows);
    return {
      ...{ bank, radius, passes, near },
      mends: rest && ownedMends(rest, mends.folds),
      projection: isPart ? projection : undefined,
    };
  }

  /**
   * Makes a memory bank of patches by extracting the images that they come from
   * a second time.
   *
   * @param picks The patches, in the order that the bank gets them.
   * @param others More patches, for rows of their own.
   * @throws {Error} If one of these images cannot be used any more.
   */
  async #fetch(
    picks: Uint32Array<ArrayBuffer>,
    others: Uint32Array<ArrayBuffer>,
  ): Promise<{ bank: MemoryBank; rest: RowChunks | undefined }> {
    const { gpu, backbone, settings, only, tiles } = this.#work;
    const { extractor, like } = this.#work.stream;
    const { signal, onProgress, maxPixels } = this.#work.options;
    const { demand: { batch } } = this.#work;
    const { patches, paddedDim, dim } = extractor.features;
    const tileOf = (pick: number): number => Math.floor(pick / patches);
    // A patch may mend several folds.
    const sorted = Uint32Array.from(new Set([...picks, ...others])).sort();
    const needed = [...new Set(sorted.values().map(tileOf))];
    const wanted = new Set(needed);
    const images = [...new Set(needed.map((tile) => Math.floor(tile / tiles)))];
    using stream = new FeatureStream(gpu, {
      ...{ extractor, backbone, settings, only, like },
      wants: (image, order) => wanted.has(images[image]! * tiles + order),
    }, {
      images: images.values().map((image) => this.#sources[image]!),
      count: images.length,
    }, {
      batch,
      onImageError: isGone,
      ...(signal && { signal }),
      ...(maxPixels && { maxPixels }),
    });
    const most = Math.min(batch, needed.length) * patches;
    using features = allocateFeatures(gpu, most, paddedDim, patches);
    using ordered = RowChunks.allocate(
      gpu,
      sorted.length,
      paddedDim,
      "bank rows",
    );
    let seen = 0;
    let done = 0;
    for (
      let loaded = await stream.next();
      loaded.length > 0;
      loaded = await stream.next()
    ) {
      await stream.submit(loaded, features, 0);
      const rows: number[] = [];
      while (done + rows.length < sorted.length) {
        const pick = sorted[done + rows.length];
        const place = needed.indexOf(tileOf(pick), seen) - seen;
        if (place >= loaded.length) break;
        rows.push(place * patches + pick % patches);
      }
      using chosen = await gatherRows(
        gpu,
        features,
        Uint32Array.from(rows),
        "chosen patches",
      );
      copyRowSpans(gpu, chosen, ordered, done);
      done += rows.length;
      seen += loaded.length;
      onProgress?.("bank rows", seen, needed.length);
    }
    await stream.wait();
    const places = new Map(Array.from(sorted, (pick, place) => [pick, place]));
    const orderOf = (list: Uint32Array) =>
      list.map((pick) => places.get(pick)!);
    using failed = new DisposableStack();
    const rows = failed.use(
      await gatherRows(gpu, ordered, orderOf(picks), "memory bank"),
    );
    const rest = others.length === 0
      ? undefined
      : await gatherRows(gpu, ordered, orderOf(others), "mending rows");
    failed.move();
    const origin = originsOf(picks, extractor.features);
    return { bank: new MemoryBank(rows, dim, origin), rest };
  }

  /** Extracts the images drawn once more and scores them. */
  async score(chosen: ProjectedChoice, settings: Settings): Promise<ScoredFit> {
    const images = this.log.names.length;
    const again = await scoreAgain(
      { ...this.#work, settings },
      chosen,
      this.#sample.images,
      this.#folds,
    );
    return { ...again, ...coverOf(chosen.radius, images, settings) };
  }

  /** Frees the rows. */
  [Symbol.dispose](): void {
    this.#projector[Symbol.dispose]();
    this.#rows.dispose();
  }
}

function isGone(name: string, cause: Error): never {
  throw new Error(
    `Cannot fetch the memory bank's rows from "${name}" again: ${cause.message}; leave the images as they are until the fit is done`,
    { cause },
  );
}
