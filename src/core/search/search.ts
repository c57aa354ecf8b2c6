import type { Gpu, Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import { MAX_NEIGHBOURS } from "../../wgsl/search_refine.ts";
import { FullSearch, fullSearchBytes } from "./full_search.ts";
import { PCA_AXES, pcaWork, principalAxes } from "./principal_axes.ts";
import { PcaSearch, pcaSearchBytes } from "./pca_search.ts";
import type {
  RecordedSearch,
  SearchBytes,
  SearchOptions,
  SearchSizes,
} from "./search_options.ts";

export type {
  RecordedSearch,
  SearchOptions,
  SearchSizes,
} from "./search_options.ts";

/** Rows from which one image's search repays the finding of axes. */
const LEAST_ROWS = 8192;

/** Dimensions from which a search along them can be much less work. */
const LEAST_DIM = 2 * PCA_AXES[1];

/** How a bank is made ready to be searched. */
interface BankSearchOptions {
  /**
   * Training image (or fold of images) of each bank row `[K]`, for searches that
   * exclude one; or whom alone it is for, see {@linkcode foundByOnly}.
   */
  readonly images?: ArrayLike<number>;
  /**
   * What lower bounds are made from: `full` compares all dimensions, `pca`
   * the first principal axes, `auto` (the default) takes these in a bank of at
   * least 8192 rows of 512 dimensions where a sample of it says that they save
   * half of the work. The result is the same.
   */
  readonly bounds?: "auto" | "full" | "pca";
}

/** A row with this bit is found by the queries of one image alone. */
const ONLY = 2 ** 31;

/**
 * What a bank row has in place of its image if the queries of one image alone
 * may find it, in searches that leave images out.
 */
export function foundByOnly(image: number): number {
  return ONLY + image;
}

/**
 * Exact nearest-neighbour search in a memory bank.
 *
 * A tiled product of queries and bank, along all dimensions or the first
 * principal axes, gives every group of rows a lower bound for each query; the
 * groups that their bounds do not rule out are then measured by direct
 * differences. No distance matrix, ties to the lowest index.
 */
export class BankSearch implements Disposable {
  readonly #bank: RowChunks;
  readonly #hasImages: boolean;
  readonly #search: FullSearch | PcaSearch;

  private constructor(
    bank: RowChunks,
    hasImages: boolean,
    search: FullSearch | PcaSearch,
  ) {
    this.#bank = bank;
    this.#hasImages = hasImages;
    this.#search = search;
  }

  /**
   * Prepares a bank for searching: a second, packed copy of it.
   *
   * @param bank At least one row; it must outlive the search.
   * @throws {RangeError} If the bank is empty or `images` has another length.
   */
  static async create(
    gpu: Gpu,
    bank: RowChunks,
    { images, bounds = "auto" }: BankSearchOptions = {},
  ): Promise<BankSearch> {
    if (bank.rows === 0) {
      throw new RangeError("Cannot search the memory bank: it has no rows");
    }
    if (images !== undefined && images.length !== bank.rows) {
      throw new RangeError(
        `Cannot search the memory bank: it has ${bank.rows} rows, images has ${images.length}`,
      );
    }
    if (bounds === "pca" && bank.dim < PCA_AXES[1]) {
      throw new RangeError(
        `Cannot search along ${
          PCA_AXES[1]
        } axes: the memory bank has ${bank.dim} dimensions`,
      );
    }
    const search = await pcaSearch(gpu, bank, images, bounds) ??
      await FullSearch.create(gpu, bank, images);
    return new BankSearch(bank, images !== undefined, search);
  }

  /** What lower bounds are made from. */
  get bounds(): "full" | "pca" {
    return this.#search instanceof PcaSearch ? "pca" : "full";
  }

  /**
   * Records the search of the first `rows` rows of `queries`.
   *
   * @param queries Row-major `[≥ rows, dim]`.
   * @throws {RangeError} If k is not from 1 to 16 or the sizes do not fit.
   */
  record(
    program: Program,
    queries: Tensor,
    options: SearchOptions,
  ): RecordedSearch {
    const { rows, k = 1, queryImages } = options;
    this.#check(queries, rows, k, queryImages);
    return this.#search.record(program, queries, options);
  }

  #check(
    queries: Tensor,
    rows: number,
    k: number,
    queryImages: Tensor | undefined,
  ): void {
    const { dim } = this.#bank;
    if (!Number.isInteger(k) || k < 1 || k > MAX_NEIGHBOURS) {
      throw new RangeError(
        `Cannot search ${k} neighbours: k must be an integer from 1 to ${MAX_NEIGHBOURS}`,
      );
    }
    if (rows < 1 || queries.size < rows * dim) {
      throw new RangeError(
        `Cannot search ${rows} queries of ${dim} elements: "${queries.label}" is [${queries.shape}]`,
      );
    }
    if (queryImages === undefined) return;
    if (queryImages.size < rows || !this.#hasImages) {
      throw new RangeError(
        `Cannot leave out each query's own image: ${rows} queries have ${queryImages.size} images, and the bank has ${
          this.#hasImages ? "its own" : "none"
        }`,
      );
    }
  }

  /** Frees the packed copy; the bank stays its owner's. */
  [Symbol.dispose](): void {
    this.#search[Symbol.dispose]();
  }
}

/** GPU bytes of a {@linkcode BankSearch}, whichever bounds it comes to use. */
export function searchBytes(sizes: SearchSizes): SearchBytes {
  const full = fullSearchBytes(sizes);
  if (!isLarge(sizes)) return full;
  const leading = pcaSearchBytes(sizes);
  return {
    bank: Math.max(full.bank, leading.bank),
    query: Math.max(full.query, leading.query),
  };
}

function isLarge({ rows, dim }: Pick<SearchSizes, "rows" | "dim">): boolean {
  return rows >= LEAST_ROWS && dim >= LEAST_DIM;
}

async function pcaSearch(
  gpu: Gpu,
  bank: RowChunks,
  images: ArrayLike<number> | undefined,
  bounds: "auto" | "full" | "pca",
): Promise<PcaSearch | undefined> {
  if (bounds === "full" || bounds === "auto" && !isLarge(bank)) {
    return undefined;
  }
  const axes = await principalAxes(gpu, bank, PCA_AXES[1]);
  if (bounds === "auto" && !(pcaWork(axes) < 0.5)) return undefined;
  return await PcaSearch.create(gpu, bank, axes, images);
}
