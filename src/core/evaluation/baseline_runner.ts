import type { Gpu } from "../../gpu/mod.ts";
import type { Category } from "../datasets/dataset.ts";
import type { Backbone } from "../features/backbone.ts";
import type { NamedImage } from "../features/image_source.ts";
import type { Settings } from "../settings/settings.ts";
import {
  type Baseline,
  type BaselineName,
  type BaselineOptions,
  createBaseline,
} from "./baseline_methods.ts";
import { sourcesOf } from "./features_of.ts";
import {
  type CategoryWork,
  type Outcome,
  type Runner,
  type RunOptions,
  secondsSince,
  withTotal,
} from "./runner.ts";
import { type NamedScore, scoreSamples } from "./score_samples.ts";
import { TapStream } from "./tap_stream.ts";

/** What a {@linkcode BaselineRunner} works with. */
interface BaselineMethod extends BaselineOptions {
  /** The device. */
  readonly gpu: Gpu;
  /** Which of the paper's other systems. */
  readonly name: BaselineName;
  /** The network, tapped at `baselineTaps`. */
  readonly backbone: Backbone;
}

/**
 * Fits SPADE or PaDiM to a category and evaluates it. Images stream through
 * the backbone; what is kept of them is the method's own.
 */
export class BaselineRunner implements Runner {
  readonly #method: BaselineMethod;
  readonly #category: Category;
  readonly #work: CategoryWork;

  /** Keeps what runs need; allocates nothing. */
  constructor(method: BaselineMethod, category: Category, work: CategoryWork) {
    this.#method = method;
    this.#category = category;
    this.#work = work;
  }

  /** Training images of the category. */
  get trainImages(): number {
    return this.#category.train.length;
  }

  /**
   * Fits and evaluates once.
   *
   * @throws {RangeError} If no training image could be used.
   */
  async run(settings: Settings, options: RunOptions): Promise<Outcome> {
    const { gpu, backbone } = this.#method;
    const { test } = this.#category;
    const { batch } = this.#work;
    using stream = new TapStream(gpu, backbone, settings, batch);
    let start = performance.now();
    const train = this.#trainImages(options.train);
    const { baseline, images } = await this.#fit(stream, train, settings.seed);
    using fitted = baseline;
    const fit = secondsSince(start);
    start = performance.now();
    const result = await scoreSamples(
      this.#scores(stream, fitted),
      test,
      this.#work,
      { geometry: settings, rule: options.rule },
    );
    const predict = secondsSince(start);
    return {
      result,
      trainImages: images,
      seconds: withTotal({ fit, predict }),
    };
  }

  #trainImages(picks: Uint32Array | undefined): NamedImage[] {
    const all = sourcesOf(this.#category.train, this.#work.files);
    return picks ? Array.from(picks, (pick) => all[pick]!) : all;
  }

  async #fit(
    stream: TapStream,
    images: readonly NamedImage[],
    seed: number,
  ): Promise<{ baseline: Baseline; images: number }> {
    using owned = new DisposableStack();
    const { name } = this.#method;
    const { batch: size, onProgress } = this.#work;
    let baseline: Baseline | undefined;
    let done = 0;
    for await (const batch of stream.run(images, this.#work)) {
      baseline ??= owned.use(
        createBaseline(name, {
          ...this.#method,
          extractor: stream.extractor!,
          images: images.length,
          batch: size,
          seed,
        }, this.#method),
      );
      await baseline.add(batch);
      done += batch.names.length;
      onProgress?.("features", done, images.length);
    }
    if (baseline === undefined) {
      throw new RangeError(
        `Cannot fit: none of ${images.length} images could be used`,
      );
    }
    await baseline.finish();
    owned.move();
    return { baseline, images: done };
  }

  async *#scores(
    stream: TapStream,
    baseline: Baseline,
  ): AsyncGenerator<NamedScore> {
    const images = sourcesOf(this.#category.test, this.#work.files);
    const [height, width] = stream.extractor!.input;
    for await (const batch of stream.run(images, this.#work)) {
      const { scores, maps } = await baseline.score(batch);
      for (const [i, name] of batch.names.entries()) {
        const first = i * height * width;
        const data = maps.slice(first, first + height * width);
        yield {
          name,
          image: batch.sizes[i]!,
          score: scores[i]!,
          map: { width, height, data },
        };
      }
    }
  }

  /** Holds nothing between runs. */
  [Symbol.dispose](): void {}
}
