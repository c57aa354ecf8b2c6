import type { Gpu, Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import type {
  BankSearch,
  RecordedSearch,
  SearchOptions,
} from "../search/search.ts";
import { IvfPqIndex, recallAtOne } from "../baselines/ivfpq.ts";
import {
  type BatchedSearchOptions,
  searchInBatches,
} from "../search/nearest_rows.ts";

/** Options of {@linkcode ApproximateSearch.create}. */
interface ApproximateSearchOptions {
  /** Inverted lists to scan for each patch, 1 in FAISS unless set. */
  readonly probes: number;
  /** Seed of the training of the index. */
  readonly seed: number;
}

/**
 * Approximate search in the place of the exact one (paper, Table 5): IVFPQ as
 * the published implementation has it from FAISS.
 */
export class ApproximateSearch implements Disposable {
  readonly #index: IvfPqIndex;
  readonly #probes: number;

  private constructor(index: IvfPqIndex, probes: number) {
    this.#index = index;
    this.#probes = probes;
  }

  /** Trains the index on the bank, which must outlive it. */
  static async create(
    gpu: Gpu,
    bank: RowChunks,
    { probes, seed }: ApproximateSearchOptions,
  ): Promise<ApproximateSearch> {
    return new ApproximateSearch(
      await IvfPqIndex.build(gpu, bank, { seed }),
      probes,
    );
  }

  /**
   * Records a search as `BankSearch.record` does.
   *
   * @throws {RangeError} If more than one neighbour is asked for.
   */
  record(
    program: Program,
    queries: Tensor,
    { rows, k = 1 }: SearchOptions,
  ): RecordedSearch {
    if (k !== 1) {
      throw new RangeError(
        `Cannot search ${k} neighbours with IVFPQ: it finds one`,
      );
    }
    const probes = this.#probes;
    return this.#index.record(program, queries, { rows, probes });
  }

  /**
   * Recall@1: the share of patches for which a row as near as the nearest one
   * is found.
   *
   * @param exact Searches the same bank exactly.
   */
  async recall(
    gpu: Gpu,
    features: RowChunks,
    exact: BankSearch,
    options: BatchedSearchOptions = {},
  ): Promise<number> {
    let hits = 0;
    const batches = searchInBatches(
      gpu,
      features,
      [this, exact],
      options,
    );
    for await (const [found, nearest] of batches) {
      const { squared } = nearest!;
      hits += recallAtOne(found!.squared, squared) * squared.length;
    }
    return hits / features.rows;
  }

  /** Frees the index. */
  [Symbol.dispose](): void {
    this.#index[Symbol.dispose]();
  }
}
