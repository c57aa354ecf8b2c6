import type { Gpu, Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import { imageMax } from "../../wgsl/image_max.ts";
import { maskDistances } from "../../wgsl/mask_distances.ts";
import { topMean } from "../../wgsl/top_mean.ts";
import { reweight } from "../../wgsl/reweight.ts";
import { recordGather } from "../rows/row_sets.ts";
import {
  type BankSearch,
  type RecordedSearch,
  searchBytes,
  type SearchSizes,
} from "../search/search.ts";
import type { Settings } from "../settings/settings.ts";
import {
  type DistanceScale,
  distanceScale,
  topCount,
} from "./distance_scale.ts";

/** The settings that decide what a score is. */
export type ScoreSettings =
  & Pick<Settings, "distance" | "neighbours" | "reweight">
  & Partial<Pick<Settings, "topShare">>;

/** What image scores are made from. */
interface ScoreInputs {
  /** Features of a batch's patches `[≥ images · patches, dim]`, row-major. */
  readonly queries: Tensor;
  /** Their neighbours in the bank, as a search of these queries left them. */
  readonly found: Pick<RecordedSearch, "squaredDistances" | "indices">;
  /**
   * 1 for patches that count, 0 for those whose score is 0 `[≥ images · patches]`
   * (u32); all count by default. Their distances are set to 0.
   */
  readonly mask?: Tensor | undefined;
  /** Images of the batch. */
  readonly images: number;
  /** Patches of an image. */
  readonly patches: number;
  /** As the search had it, of each image `[images]` (u32). */
  readonly queryImages?: Tensor;
}

/** Image scores to be weighed (Eq. 7), and where they come from. */
interface WeightInputs {
  /** Features `[≥ …, dim]`, row-major. */
  readonly queries: Tensor;
  /** Image scores `[images]`; updated. */
  readonly scores: Tensor;
  /** Row of `queries` of every image's worst patch `[images]` (u32). */
  readonly worstPatches: Tensor;
  /** Bank row nearest to the worst patch `[images]` (u32). */
  readonly nearestRows: Tensor;
  /** Number of images. */
  readonly images: number;
  /** Images `[images]` (u32) whose own bank rows do not count. */
  readonly queryImages?: Tensor;
}

/** Where recorded scores are left. */
interface RecordedScores extends Disposable {
  /** Patch scores `[images, patches]`; NaN where features are not finite. */
  readonly patchScores: Tensor;
  /** Image scores `[images]`. */
  readonly scores: Tensor;
  /** Row of `queries` of every image's worst patch `[images]` (u32). */
  readonly worstPatches: Tensor;
  /** Bank row nearest to the worst patch `[images]` (u32). */
  readonly nearestRows: Tensor;
  /** Frees the results and the working memory. */
  dispose(): void;
}

/**
 * Scores of patches and images from distances to the memory bank: the mean
 * over the nearest rows, the maximum over an image's patches (paper Eq. 6) and
 * its weight from the neighbourhood of the nearest bank row (Eq. 7); or the mean
 * of a share of the patches, the largest.
 */
export class ImageScores {
  /** Neighbours that a search has to find of each patch, at least. */
  readonly neighbours: number;
  readonly #gpu: Gpu;
  readonly #bank: RowChunks;
  readonly #search: Pick<BankSearch, "record">;
  readonly #scale: DistanceScale;
  readonly #topShare: number | null;
  readonly #reweight: number;

  /**
   * Keeps what scores are made with; allocates nothing.
   *
   * @param settings What a score is; a bank with fewer rows than asked for
   * gives what it has.
   */
  constructor(
    gpu: Gpu,
    bank: RowChunks,
    search: Pick<BankSearch, "record">,
    settings: ScoreSettings,
  ) {
    this.#gpu = gpu;
    this.#bank = bank;
    this.#search = search;
    this.#scale = distanceScale(settings.distance);
    this.#topShare = settings.topShare ?? null;
    this.#reweight = Math.min(settings.reweight, bank.rows);
    this.neighbours = Math.min(settings.neighbours, bank.rows);
  }

  /**
   * Records the dispatches that score a batch. Nothing comes back to the host.
   *
   * @param program Where to record, after the search of the batch.
   * @throws {RangeError} If a tensor is too small.
   */
  record(program: Program, inputs: ScoreInputs): RecordedScores {
    const { queries, found, images, patches, mask } = inputs;
    const gpu = this.#gpu;
    const columns = found.squaredDistances.shape[1] ?? 0;
    this.#check(inputs, columns);
    using owned = new DisposableStack();
    const patchScores = owned.use(
      gpu.tensor([images, patches], "f32", "patch scores"),
    );
    const scores = owned.use(gpu.tensor([images], "f32", "image scores"));
    const worstPatches = owned.use(
      gpu.tensor([images], "u32", "worst patches"),
    );
    const nearestRows = owned.use(
      gpu.tensor([images], "u32", "nearest bank rows"),
    );
    if (mask) {
      program.dispatch(
        maskDistances,
        { rows: images * patches, neighbours: columns },
        { mask, distances: found.squaredDistances },
      );
    }
    program.dispatch(imageMax, {
      images,
      patches,
      neighbours: columns,
      used: this.neighbours,
      ...this.#scale,
    }, {
      distances: found.squaredDistances,
      indices: found.indices,
      patch_scores: patchScores,
      scores,
      worst: worstPatches,
      nearest: nearestRows,
    });
    if (this.#topShare !== null) {
      program.dispatch(
        topMean,
        { images, patches, count: topCount(patches, this.#topShare) },
        { patch_scores: patchScores, scores },
      );
    }
    const results = { patchScores, scores, worstPatches, nearestRows };
    const { queryImages } = inputs;
    owned.use(this.recordWeights(program, {
      ...{ ...results, queries, images },
      ...(queryImages && { queryImages }),
    }));
    const kept = owned.move();
    const dispose = (): void => kept.dispose();
    return { ...results, dispose, [Symbol.dispose]: dispose };
  }

  /**
   * Records the weighing of image scores alone (paper Eq. 7), in place; nothing
   * when the settings do not ask for it.
   *
   * @param inputs Scores, and the patches and bank rows they come from.
   * @returns The working memory, to be disposed after the last run.
   */
  recordWeights(program: Program, inputs: WeightInputs): Disposable & {
    dispose(): void;
  } {
    const { queries, scores, worstPatches, images, queryImages } = inputs;
    const { dim } = this.#bank;
    const b = this.#reweight;
    using owned = new DisposableStack();
    if (b > 1) {
      const centres = owned.use(
        this.#gather(program, inputs.nearestRows, images),
      );
      const around = owned.use(
        this.#search.record(program, centres, {
          rows: images,
          k: b,
          ...(queryImages !== undefined && { queryImages }),
        }),
      );
      const neighbours = owned.use(
        this.#gather(program, around.indices, images * b),
      );
      program.dispatch(reweight, { images, dim, neighbours: b }, {
        queries,
        worst: worstPatches,
        neighbours,
        indices: around.indices,
        scores,
      });
    }
    const kept = owned.move();
    const dispose = (): void => kept.dispose();
    return { dispose, [Symbol.dispose]: dispose };
  }

  #gather(program: Program, indices: Tensor, rows: number): Tensor {
    const to = this.#gpu.tensor(
      [rows, this.#bank.dim],
      "f32",
      "gathered bank rows",
    );
    recordGather(program, this.#bank, indices, rows, to);
    return to;
  }

  #check(
    { queries, found, images, patches }: ScoreInputs,
    neighbours: number,
  ): void {
    const rows = images * patches;
    const { squaredDistances, indices } = found;
    if (
      neighbours < this.neighbours ||
      Math.min(squaredDistances.size, indices.size) < rows * neighbours
    ) {
      throw new RangeError(
        `Cannot score ${images} images of ${patches} patches: their neighbours are [${squaredDistances.shape}], expected [${rows}, ${this.neighbours}]`,
      );
    }
    const { dim } = this.#bank;
    if (queries.size < rows * dim) {
      throw new RangeError(
        `Cannot score ${images} images of ${patches} patches: their features are [${queries.shape}], expected [${rows}, ${dim}]`,
      );
    }
  }
}

/**
 * GPU bytes of {@linkcode ImageScores.recordWeights}.
 *
 * @param sizes The search.
 * @param reweight Rows around the nearest one, that one included.
 */
export function weightBytes(
  sizes: SearchSizes,
  images: number,
  reweight: number,
): number {
  if (reweight < 2) return 0;
  const { query } = searchBytes({ ...sizes, k: reweight });
  return images * (query + (1 + reweight) * sizes.dim * 4);
}
