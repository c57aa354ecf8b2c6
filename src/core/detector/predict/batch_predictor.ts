import {
  type Gpu,
  type Program,
  RowChunks,
  StageClock,
  type Tensor,
  type TensorData,
} from "../../../gpu/mod.ts";
import type { Session } from "../../../nn/session.ts";
import type { FeatureExtractor } from "../../features/extractor.ts";
import { batchTooLarge } from "../../features/batch_too_large.ts";
import type { RegionGrid } from "../../features/region_grid.ts";
import type { Tile } from "../../features/tile.ts";
import type { CropGeometry } from "../../images/resize_plan.ts";
import { AnomalyMaps } from "../../score/anomaly_map.ts";
import type { ImageScores } from "../../score/image_score.ts";
import type { BankSearch } from "../../search/search.ts";
import type { MapSettings } from "../../settings/settings.ts";

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

/** What the features of one image give. */
interface ScoredFeatures {
  /** Image score. */
  readonly score: number;
  /** Place of the worst patch: row · grid width + column. */
  readonly worstPatch: number;
  /** Bank row nearest to the worst patch. */
  readonly nearestRow: number;
  /**
   * Anomaly map over the backbone's input `[H, W]`, row by row; NaN where nothing
   * is inspected.
   */
  readonly map: Float32Array;
  /** Pixels of the map that are not inspected. */
  readonly unseen: number;
  /** Scores of all patches, row by row, where they are read back. */
  readonly patches?: Float32Array;
}

/** What comes back from the GPU of one image, or of a tile. */
export interface ScoredTile extends ScoredFeatures {
  /** Where the map lies in the original image. */
  readonly geometry: CropGeometry;
  /** GPU time, where the adapter has timestamp queries. */
  readonly times: StageTimes | undefined;
}

/** A batch that the GPU works on. */
interface SubmittedBatch {
  /** Waits for the results; the predictor takes the next batch after it. */
  collect(): Promise<ScoredTile[]>;
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
  /** Whether a tile is compared with tiles at its own place alone. */
  readonly isByPlace?: boolean;
  /** Whether the scores of all patches are read back. */
  readonly readsPatches?: boolean;
  /** Whether patches of the ground score 0; the extractor has to tell them. */
  readonly masksGround: boolean;
}

/**
 * Search, scores and anomaly maps of a batch whose patch features are on the
 * GPU already, recorded once.
 */
export class FeatureScorer implements Disposable {
  /** Search and scores; anomaly maps. To be compiled and submitted in order. */
  readonly programs: readonly [Program, Program];
  readonly #gpu: Gpu;
  readonly #patches: number;
  readonly #region: RegionGrid | undefined;
  readonly #readsPatches: boolean;
  readonly #results: readonly Tensor[];
  readonly #places:
    | { readonly patches: Tensor; readonly tiles: Tensor }
    | undefined;
  readonly #owned: DisposableStack;

  /**
   * @param parts What scores are made with; they must outlive the scorer.
   * @param queries Features `[≥ images · patches, dim]`, row-major.
   * @param mask Which patches are of the part `[≥ images · patches]` (u32),
   * where those of the ground score 0.
   */
  constructor(
    gpu: Gpu,
    { extractor, search, scores, mapSettings, ...parts }: PredictorParts,
    queries: Tensor,
    images: number,
    mask?: Tensor,
  ) {
    using owned = new DisposableStack();
    const { features: { patches, height, width }, input: size } = extractor;
    const { region } = extractor;
    const searching = owned.use(gpu.program("search"));
    const places = parts.isByPlace
      ? {
        patches: owned.use(gpu.tensor([images * patches], "u32", "places")),
        tiles: owned.use(gpu.tensor([images], "u32", "places")),
      }
      : undefined;
    const found = owned.use(search.record(searching, queries, {
      rows: images * patches,
      k: scores.neighbours,
      ...(places && { queryImages: places.patches }),
    }));
    const scored = owned.use(
      scores.record(searching, {
        ...{ queries, found, images, patches, mask },
        ...(places && { queryImages: places.tiles }),
      }),
    );
    const mapping = owned.use(gpu.program("anomaly map"));
    const grid = [height, width] as const;
    const slots = region && { patches, slots: region.slots };
    const shape = { grid, size, maxImages: images, region: slots };
    const maps = owned.use(new AnomalyMaps(gpu, shape, mapSettings));
    const map = owned.use(gpu.tensor([images, ...size], "f32", "anomaly maps"));
    maps.record(mapping, scored.patchScores, map);
    this.#gpu = gpu;
    this.#readsPatches = parts.readsPatches ?? false;
    this.#patches = patches;
    this.#region = region;
    this.#places = places;
    this.programs = [searching, mapping];
    this.#results = [
      scored.scores,
      scored.worstPatches,
      scored.nearestRows,
      map,
      ...(parts.readsPatches ? [scored.patchScores] : []),
    ];
    this.#owned = owned.move();
  }

  /** Tells where the tiles of a batch lie, where that decides what they find. */
  place(tiles: readonly Pick<Tile, "place">[]): void {
    if (this.#places === undefined) return;
    const places = Uint32Array.from(tiles, ({ place }) => place);
    this.#gpu.write(this.#places.tiles, places);
    const patches = Uint32Array.from(
      { length: places.length * this.#patches },
      (_, i) => places[Math.floor(i / this.#patches)]!,
    );
    this.#gpu.write(this.#places.patches, patches);
  }

  /**
   * Reads what the programs left.
   *
   * @param images How many images of the batch count, from the first.
   * @param also Another tensor that the same readback brings.
   */
  async read(
    images: number,
    also?: Tensor,
  ): Promise<[ScoredFeatures[], TensorData?]> {
    const read = await this.#gpu.readAll(
      also === undefined ? this.#results : [...this.#results, also],
    );
    const [score, worst, nearest, maps] = read;
    const patches = this.#readsPatches ? read[4] as Float32Array : undefined;
    const pixels = maps.length / score.length;
    const scored = Array.from({ length: images }, (_, i) => {
      const slot = worst[i] - i * this.#patches;
      const map = (maps as Float32Array).slice(i * pixels, (i + 1) * pixels);
      return {
        score: score[i],
        worstPatch: this.#region?.places[slot] ?? slot,
        nearestRow: nearest[i],
        map: this.#inspected(map),
        unseen: pixels - (this.#region?.pixels.length ?? pixels),
        ...(patches && {
          patches: patches.slice(i * this.#patches, (i + 1) * this.#patches),
        }),
      };
    });
    return also === undefined ? [scored] : [scored, read.at(-1)!];
  }

  /** A map with NaN where nothing is inspected. */
  #inspected(map: Float32Array): Float32Array {
    if (this.#region === undefined) return map;
    const inspected = new Float32Array(map.length).fill(NaN);
    for (const pixel of this.#region.pixels) inspected[pixel] = map[pixel]!;
    return inspected;
  }

  /** Frees the results and the working memory. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

/** What promises give, once none of them is pending; the first error if any. */
async function allDone<First>(
  promises: readonly [Promise<First>, ...Promise<unknown>[]],
): Promise<[First, ...unknown[]]> {
  await Promise.allSettled(promises);
  return await Promise.all(promises) as [First, ...unknown[]];
}

/**
 * Scores batches of a fixed number of images: recorded once, one submit and one
 * readback a batch.
 */
export class BatchPredictor implements Disposable {
  readonly #gpu: Gpu;
  readonly #extractor: FeatureExtractor;
  readonly #session: Session;
  readonly #scorer: FeatureScorer;
  readonly #programs: readonly Program[];
  readonly #clock: StageClock | undefined;
  readonly #owned: DisposableStack;

  private constructor(
    gpu: Gpu,
    extractor: FeatureExtractor,
    session: Session,
    scorer: FeatureScorer,
    programs: readonly Program[],
    owned: DisposableStack,
  ) {
    this.#gpu = gpu;
    this.#extractor = extractor;
    this.#session = session;
    this.#scorer = scorer;
    this.#programs = programs;
    this.#clock = owned.use(StageClock.create(gpu, programs.length));
    this.#owned = owned.move();
  }

  /**
   * Allocates and records everything for batches of so many images.
   *
   * @throws {GpuError} If that is more than the adapter binds.
   */
  static async create(
    gpu: Gpu,
    parts: PredictorParts,
    images: number,
  ): Promise<BatchPredictor> {
    try {
      return await BatchPredictor.#create(gpu, parts, images);
    } catch (error) {
      throw batchTooLarge(error, images, parts.extractor.input);
    }
  }

  static async #create(
    gpu: Gpu,
    parts: PredictorParts,
    images: number,
  ): Promise<BatchPredictor> {
    using owned = new DisposableStack();
    const { extractor } = parts;
    const { patches, paddedDim } = extractor.features;
    const count = images * patches;
    const rows = owned.use(
      RowChunks.allocate(gpu, count, paddedDim, "query features", count),
    );
    const mask = parts.masksGround
      ? owned.use(gpu.tensor([count], "u32", "foreground"))
      : undefined;
    const [queries] = rows.chunks;
    const scorer = owned.use(
      new FeatureScorer(gpu, parts, queries, images, mask),
    );
    const [session] = await allDone([
      extractor.session(images),
      ...scorer.programs.map((program) => program.compile()),
    ]);
    const patching = owned.use(
      await extractor.patchProgram(session, rows, 0, { mask }),
    );
    const programs = [session.program, patching, ...scorer.programs];
    return new BatchPredictor(
      gpu,
      extractor,
      session,
      scorer,
      programs,
      owned,
    );
  }

  /** Starts scoring a batch of exactly the number of images it was made for. */
  async submit(tiles: readonly Tile[]): Promise<SubmittedBatch> {
    const geometries = await this.#extractor.encode(this.#session, tiles);
    this.#scorer.place(tiles);
    this.#gpu.submit(this.#programs, this.#clock);
    return { collect: () => this.#collect(geometries) };
  }

  async #collect(geometries: readonly CropGeometry[]): Promise<ScoredTile[]> {
    const images = geometries.length;
    const [scored, ticks] = await this.#scorer.read(images, this.#clock?.ticks);
    const times = this.#times(ticks, images);
    return scored.map((image, i) => ({
      ...image,
      geometry: geometries[i]!,
      times,
    }));
  }

  #times(ticks: TensorData | undefined, images: number): ScoredTile["times"] {
    if (ticks === undefined || this.#gpu.profiler !== undefined) {
      return undefined;
    }
    const [trunk, patches, search, map] = this.#clock!
      .milliseconds(ticks as Uint32Array).map((ms) => ms / images);
    return { trunk, patches, search, map };
  }

  /** Frees everything but the session, which the extractor owns. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}
