import type { Gpu, Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import type { RecordedSearch } from "../search/search.ts";
import type { PredictorParts } from "../detector/predict/batch_predictor.ts";
import { AnomalyMaps } from "../score/anomaly_map.ts";
import type { RecordedScores } from "../score/image_score.ts";
import type { ScoredImage } from "./category_metrics.ts";

/** Images scored with one submit. */
const IMAGES = 8;

/**
 * Scores images whose patch features are on the GPU already: search, scores
 * and maps as in a prediction, without the backbone.
 */
export class FeaturePredictor implements Disposable {
  readonly #gpu: Gpu;
  readonly #parts: PredictorParts;
  readonly #queries: Tensor;
  readonly #found: RecordedSearch;
  readonly #scored: RecordedScores;
  readonly #maps: AnomalyMaps;
  readonly #map: Tensor;
  readonly #program: Program;

  private constructor(gpu: Gpu, parts: PredictorParts, dim: number) {
    const { extractor, search, scores, mapSettings } = parts;
    const { patches, height, width } = extractor.features;
    this.#gpu = gpu;
    this.#parts = parts;
    this.#queries = gpu.tensor([IMAGES * patches, dim], "f32", "test features");
    gpu.clear(this.#queries);
    this.#program = gpu.program("score test features");
    this.#found = search.record(this.#program, this.#queries, {
      rows: IMAGES * patches,
      k: scores.neighbours,
    });
    this.#scored = scores.record(this.#program, {
      queries: this.#queries,
      found: this.#found,
      images: IMAGES,
      patches,
    });
    const { input: size } = extractor;
    this.#maps = new AnomalyMaps(gpu, {
      grid: [height, width],
      size,
      maxImages: IMAGES,
    }, mapSettings);
    this.#map = gpu.tensor([IMAGES, ...size], "f32", "anomaly maps");
    this.#maps.record(this.#program, this.#scored.patchScores, this.#map);
  }

  /** Allocates and records everything for features of so many dimensions. */
  static async create(
    gpu: Gpu,
    parts: PredictorParts,
    dim: number,
  ): Promise<FeaturePredictor> {
    const predictor = new FeaturePredictor(gpu, parts, dim);
    await predictor.#program.compile();
    return predictor;
  }

  /**
   * Scores all images of a row set, in order.
   *
   * @param rows Features, chunks of whole images.
   */
  async *run(rows: RowChunks): AsyncGenerator<ScoredImage> {
    const { extractor } = this.#parts;
    const [height, width] = extractor.input;
    const { patches } = extractor.features;
    const { dim } = rows;
    for (const chunk of rows.chunks) {
      const images = chunk.shape[0]! / patches;
      for (let first = 0; first < images; first += IMAGES) {
        const count = Math.min(IMAGES, images - first);
        this.#gpu.copy(chunk, this.#queries, {
          fromOffset: first * patches * dim,
          count: count * patches * dim,
        });
        this.#program.run();
        const [scores, maps] = await this.#gpu.readAll([
          this.#scored.scores,
          this.#map,
        ]);
        for (let i = 0; i < count; i++) {
          const data = (maps as Float32Array).slice(
            i * height * width,
            (i + 1) * height * width,
          );
          yield { score: scores![i]!, map: { width, height, data } };
        }
      }
    }
  }

  /** Frees everything but the parts it was made from. */
  dispose(): void {
    this.#program.dispose();
    this.#queries.dispose();
    this.#found.dispose();
    this.#scored.dispose();
    this.#maps.dispose();
    this.#map.dispose();
  }

  /** Same as {@linkcode FeaturePredictor.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
