import { RowChunks } from "../../../gpu/mod.ts";
import { Projector } from "../../rows/projection.ts";
import { bankRows } from "../../settings/resolve_settings.ts";
import { ImageLog, type LoadedImage } from "../../features/feature_stream.ts";
import { type FinishedBank, finishProjected } from "./finish_bank.ts";
import { announce, type FitRun, type FitRunParts } from "./run.ts";
import { ImageSample } from "../../features/image_sample.ts";
import type { NamedImage } from "../../features/image_source.ts";
import { allocateFeatures } from "../../features/training_features.ts";

/**
 * A fit that holds the projected copies of all features, which are all that the
 * greedy choice looks at: it chooses the same rows as with the features, which
 * are then fetched by extracting their images again.
 */
export class ProjectedRun implements FitRun {
  /** Images used. */
  readonly log: ImageLog = new ImageLog();
  /** There is no model to add to. */
  readonly earlier = 0;
  /** One choice sees all patches. */
  readonly buckets = 1;
  /** There are no choices but the last. */
  readonly reducing = 0;
  readonly #run: FitRunParts;
  readonly #projector: Projector;
  readonly #rows: RowChunks;
  readonly #sources: NamedImage[] = [];
  readonly #sample: ImageSample;

  /** Allocates space for projected rows. */
  constructor(run: FitRunParts) {
    const { gpu, parts, stream, started, options } = run;
    const { paddedDim, patches } = stream.extractor.features;
    const { memory: { capacity }, projection } = started;
    this.#run = run;
    this.#sample = new ImageSample(
      options.thresholdImages,
      parts.settings.seed,
    );
    using failed = new DisposableStack();
    const projector = failed.use(new Projector(gpu, paddedDim, projection!));
    this.#projector = projector;
    const { columns } = projector;
    this.#rows = RowChunks.allocate(
      gpu,
      capacity,
      columns,
      "projected",
      patches,
    );
    failed.move();
  }

  /** Patches of the images used. */
  get patches(): number {
    return this.log.names.length * this.#run.stream.extractor.features.patches;
  }

  /** Extracts all images and keeps their projected features. */
  async collect(first: readonly LoadedImage[]): Promise<void> {
    const { gpu, stream, options } = this.#run;
    const { patches, paddedDim } = stream.extractor.features;
    using features = allocateFeatures(
      gpu,
      options.batch * patches,
      paddedDim,
      patches,
    );
    for (
      let batch = first;
      batch.length > 0;
      batch = await stream.next()
    ) {
      const start = performance.now();
      await stream.submit(batch, features, 0);
      const rows = features.head(batch.length * patches);
      await this.#projector.run(rows, this.#rows, this.patches);
      if (batch === first) await announce(this.#run, rows, start);
      this.#sample.add(batch, this.log.names.length);
      this.log.add(batch);
      this.#sources.push(...batch.map(({ source }) => source));
    }
    await stream.wait();
  }

  /** Makes the bank. */
  async finish(): Promise<FinishedBank> {
    const { gpu, parts, stream, started, options } = this.#run;
    const { backbone, settings } = parts;
    return await finishProjected(gpu, {
      rows: this.#rows,
      used: this.patches,
      count: bankRows(settings.coreset, this.patches),
      sources: this.#sources,
      sample: this.#sample.images,
      images: this.#sources.length,
      block: started.memory.block,
      lean: started.memory.lean ?? false,
      backbone,
      extractor: stream.extractor,
      settings,
      projection: started.projection,
      known: undefined,
    }, options);
  }

  /** Frees the rows. */
  [Symbol.dispose](): void {
    this.#projector[Symbol.dispose]();
    this.#rows.dispose();
  }
}
