import {
  type Gpu,
  type Program,
  RowChunks,
  StageClock,
  type Tensor,
} from "../../../gpu/mod.ts";
import type { Session } from "../../../nn/session.ts";
import type { BankSearch, RecordedSearch } from "../../search/search.ts";
import type { Pixels } from "../../images/pixels.ts";
import type { CropGeometry } from "../../images/resize_plan.ts";
import { AnomalyMaps } from "../../score/anomaly_map.ts";
import type { ImageScores, RecordedScores } from "../../score/image_score.ts";
import type { MapSettings } from "../../settings/settings.ts";
import type { FeatureExtractor } from "../../features/extractor.ts";

/** GPU time of the stages of one image in milliseconds. */
export interface StageTimes {
  /** The backbone. */
  readonly trunk: number;
  /** Patch features. */
  readonly patches: number;
  /** Nearest neighbours and scores. */
  readonly search: number;
  /** Anomaly map. */
  readonly map: number;
}

/** What comes back from the GPU of one image. */
export interface ScoredImage {
  /** Image score. */
  readonly score: number;
  /** Worst patch: row · grid width + column. */
  readonly worstPatch: number;
  /** Bank row nearest to the worst patch. */
  readonly nearestRow: number;
  /** Anomaly map over the backbone's input `[H, W]`, row by row. */
  readonly map: Float32Array;
  /** Where the map lies in the original image. */
  readonly geometry: CropGeometry;
  /** GPU time, where the adapter has timestamp queries. */
  readonly times: StageTimes | undefined;
}

/** A batch that the GPU works on. */
export interface SubmittedBatch {
  /** Waits for the results; the predictor takes the next batch after it. */
  collect(): Promise<ScoredImage[]>;
}

/** Everything that predictions of one model share. */
export interface PredictorParts {
  /** Images to features. */
  readonly extractor: FeatureExtractor;
  /** Nearest neighbours in the bank. */
  readonly search: Pick<BankSearch, "record">;
  /** Scores from neighbours. */
  readonly scores: ImageScores;
  /** How maps are made. */
  readonly mapSettings: MapSettings;
}

/**
 * Scores batches of a fixed number of images: recorded once, one submit and one
 * readback a batch.
 */
export class BatchPredictor implements Disposable {
  readonly #gpu: Gpu;
  readonly #extractor: FeatureExtractor;
  readonly #images: number;
  readonly #session: Session;
  readonly #rows: RowChunks;
  readonly #found: RecordedSearch;
  readonly #scored: RecordedScores;
  readonly #maps: AnomalyMaps;
  readonly #map: Tensor;
  readonly #programs: readonly Program[];
  readonly #clock: StageClock | undefined;

  private constructor(
    gpu: Gpu,
    parts: PredictorParts,
    session: Session,
    rows: RowChunks,
    patchProgram: Program,
    images: number,
  ) {
    const { extractor, search, scores, mapSettings } = parts;
    const { features, input } = extractor;
    this.#gpu = gpu;
    this.#extractor = extractor;
    this.#images = images;
    this.#session = session;
    this.#rows = rows;
    const [queries] = rows.chunks;
    const searching = gpu.program("search");
    this.#found = search.record(searching, queries, {
      rows: rows.rows,
      k: scores.neighbours,
    });
    this.#scored = scores.record(searching, {
      queries,
      found: this.#found,
      images,
      patches: features.patches,
    });
    const mapping = gpu.program("anomaly map");
    this.#maps = new AnomalyMaps(gpu, {
      grid: [features.height, features.width],
      size: input,
      maxImages: images,
    }, mapSettings);
    this.#map = gpu.tensor([images, ...input], "f32", "anomaly maps");
    this.#maps.record(mapping, this.#scored.patchScores, this.#map);
    this.#programs = [session.program, patchProgram, searching, mapping];
    this.#clock = StageClock.create(gpu, this.#programs.length);
  }

  /** Allocates and records everything for batches of so many images. */
  static async create(
    gpu: Gpu,
    parts: PredictorParts,
    images: number,
  ): Promise<BatchPredictor> {
    const { extractor } = parts;
    const { patches, paddedDim } = extractor.features;
    const session = await extractor.session(images);
    const rows = RowChunks.allocate(
      gpu,
      images * patches,
      paddedDim,
      "query features",
      images * patches,
    );
    const patchProgram = await extractor.patchProgram(session, rows, 0);
    const predictor = new BatchPredictor(
      gpu,
      parts,
      session,
      rows,
      patchProgram,
      images,
    );
    for (const program of predictor.#programs) await program.compile();
    return predictor;
  }

  /** Starts scoring a batch of exactly the number of images it was made for. */
  async submit(pixels: readonly Pixels[]): Promise<SubmittedBatch> {
    const geometries = await this.#extractor.encode(this.#session, pixels);
    this.#gpu.submit(this.#programs, this.#clock);
    return { collect: () => this.#collect(geometries) };
  }

  async #collect(geometries: readonly CropGeometry[]): Promise<ScoredImage[]> {
    const { scores, worstPatches, nearestRows } = this.#scored;
    const tensors = [scores, worstPatches, nearestRows, this.#map];
    if (this.#clock !== undefined) tensors.push(this.#clock.ticks);
    const [score, worst, nearest, maps, ticks] = await this.#gpu.readAll(
      tensors,
    );
    const times = this.#times(ticks as Uint32Array | undefined);
    const [height, width] = this.#extractor.input;
    const { patches } = this.#extractor.features;
    return geometries.map((geometry, i) => ({
      score: score[i],
      worstPatch: worst[i] - i * patches,
      nearestRow: nearest[i],
      map: (maps as Float32Array).slice(
        i * height * width,
        (i + 1) * height * width,
      ),
      geometry,
      times,
    }));
  }

  #times(ticks: Uint32Array | undefined): StageTimes | undefined {
    if (this.#clock === undefined || ticks === undefined) return undefined;
    if (this.#gpu.profiler !== undefined) return undefined;
    const [trunk, patches, search, map] = this.#clock.milliseconds(ticks)
      .map((ms) => ms / this.#images);
    return { trunk, patches, search, map };
  }

  /** Frees everything but the session, which the extractor owns. */
  dispose(): void {
    for (const program of this.#programs.slice(1)) program.dispose();
    this.#rows.dispose();
    this.#found.dispose();
    this.#scored.dispose();
    this.#maps.dispose();
    this.#map.dispose();
    this.#clock?.dispose();
  }

  /** Same as {@linkcode BatchPredictor.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
