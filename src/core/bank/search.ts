import type { Gpu, Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import { packedNorms } from "../../wgsl/packed_norms.ts";
import { packRows, PANEL_ROWS } from "../../wgsl/pack_rows.ts";
import { sampleMean } from "../../wgsl/sample_mean.ts";
import {
  searchGroupCount,
  searchGroups,
  searchGroupsSubgroup8,
} from "../../wgsl/search_groups.ts";
import { MAX_NEIGHBOURS, searchRefine } from "../../wgsl/search_refine.ts";
import { type PackedPiece, PackedRows } from "./packed_rows.ts";

/** Groups that a bank is divided into at most, when it is one piece. */
const MOST_GROUPS = 4096;

/** Options of {@linkcode BankSearch.create}. */
export interface BankSearchOptions {
  /** Training image of each bank row `[K]`, for searches that exclude one. */
  readonly images?: ArrayLike<number>;
}

/** Options of {@linkcode BankSearch.record}. */
export interface SearchOptions {
  /** Queries to search: the first rows of the tensor. */
  readonly rows: number;
  /** Neighbours of each query, 1 to 16; 1 by default. */
  readonly k?: number;
  /** Image `[rows]` (u32) whose bank rows each query must not find. */
  readonly queryImages?: Tensor;
}

/** Where a recorded search leaves its results. */
export interface RecordedSearch extends Disposable {
  /**
   * Squared distances `[rows, k]`, ascending; 3e38 where there are fewer than
   * k rows to find.
   */
  readonly squaredDistances: Tensor;
  /** Bank rows `[rows, k]` (u32); 4,294,967,295 where there are fewer. */
  readonly indices: Tensor;
  /** Frees the results and the working memory. */
  dispose(): void;
}

interface SearchPiece extends PackedPiece {
  readonly norms: Tensor;
  readonly images: Tensor | undefined;
}

/**
 * Exact nearest-neighbour search in a memory bank.
 *
 * A tiled product of queries and bank gives every group of rows a lower bound
 * for each query; the groups are then measured by direct differences in the
 * order of their bounds until none can hold a nearer row. No distance matrix,
 * ties to the lowest index.
 */
export class BankSearch implements Disposable {
  readonly #gpu: Gpu;
  readonly #bank: RowChunks;
  readonly #mean: Tensor;
  readonly #packed: PackedRows;
  readonly #pieces: readonly SearchPiece[];
  readonly #panelsPerGroup: number;

  private constructor(
    gpu: Gpu,
    bank: RowChunks,
    mean: Tensor,
    packed: PackedRows,
    pieces: readonly SearchPiece[],
  ) {
    this.#gpu = gpu;
    this.#bank = bank;
    this.#mean = mean;
    this.#packed = packed;
    this.#pieces = pieces;
    const lanes = Math.ceil(bank.rows / 8);
    this.#panelsPerGroup = Math.max(1, Math.ceil(lanes / MOST_GROUPS));
  }

  /**
   * Prepares a bank for searching: a second, packed copy of it.
   *
   * @param gpu Where the bank is.
   * @param bank At least one row; it must outlive the search.
   * @throws {RangeError} If the bank is empty or `images` has another length.
   */
  static async create(
    gpu: Gpu,
    bank: RowChunks,
    options: BankSearchOptions = {},
  ): Promise<BankSearch> {
    const { images } = options;
    if (bank.rows === 0) {
      throw new RangeError("Cannot search the memory bank: it has no rows");
    }
    if (images !== undefined && images.length !== bank.rows) {
      throw new RangeError(
        `Cannot search the memory bank: it has ${bank.rows} rows, images has ${images.length}`,
      );
    }
    const { dim } = bank;
    const mean = gpu.tensor([dim], "f32", "bank mean");
    using start = gpu.program("bank mean");
    start.dispatch(
      sampleMean,
      { rows: bank.chunks[0].shape[0], dim },
      { rows: bank.chunks[0], mean },
    );
    (await start.compile()).run();
    const packed = await PackedRows.pack(gpu, bank, mean);
    using program = gpu.program("bank norms");
    const pieces = packed.pieces.map((piece) => {
      const padded = Math.ceil(piece.rows / PANEL_ROWS) * PANEL_ROWS;
      const norms = gpu.tensor([padded], "f32", "bank norms");
      program.dispatch(
        packedNorms,
        { rows: piece.rows, dim },
        { packed: piece.packed, norms },
      );
      return { ...piece, norms, images: uploadImages(gpu, piece, images) };
    });
    (await program.compile()).run();
    return new BankSearch(gpu, bank, mean, packed, pieces);
  }

  /**
   * Records the search of the first `rows` rows of `queries`.
   *
   * @param program Where to record it.
   * @param queries Row-major `[≥ rows, dim]`.
   * @throws {RangeError} If k is not from 1 to 16 or the sizes do not fit.
   */
  record(
    program: Program,
    queries: Tensor,
    { rows, k = 1, queryImages }: SearchOptions,
  ): RecordedSearch {
    this.#check(queries, rows, k, queryImages);
    const gpu = this.#gpu;
    const { dim } = this.#bank;
    const panels = Math.ceil(rows / PANEL_ROWS);
    const groupsOf = (piece: SearchPiece): number =>
      searchGroupCount(piece.rows, this.#panelsPerGroup);
    const packed = gpu.tensor([panels, dim, PANEL_ROWS], "f32", "queries");
    const norms = gpu.tensor([panels * PANEL_ROWS], "f32", "query norms");
    const groups = Math.max(...this.#pieces.map(groupsOf));
    const least = gpu.tensor([rows, groups], "f32", "least of groups");
    const squaredDistances = gpu.tensor([rows, k], "f32", "distances");
    const indices = gpu.tensor([rows, k], "u32", "neighbours");

    program.dispatch(packRows, { rows, dim, shift: true }, {
      rows: queries,
      shift: this.#mean,
      packed,
    }, "queries");
    program.dispatch(packedNorms, { rows, dim }, { packed, norms }, "queries");
    const narrow = gpu.subgroupSize === 8;
    const exclude = queryImages !== undefined;
    this.#pieces.forEach((piece, i) => {
      const sizes = {
        queries: rows,
        dim,
        rows: piece.rows,
        panelsPerGroup: this.#panelsPerGroup,
        exclude,
      };
      const images = exclude ? piece.images! : indices;
      program.dispatch(narrow ? searchGroupsSubgroup8 : searchGroups, sizes, {
        queries: packed,
        bank: piece.packed,
        norms: piece.norms,
        images: exclude ? images : piece.norms,
        query_images: queryImages ?? norms,
        least,
      });
      program.dispatch(searchRefine, {
        ...sizes,
        first: piece.first,
        base: piece.base,
        groups: groupsOf(piece),
        k,
        start: i === 0,
        slack: (dim + 16) * 2 ** -23,
        lanes: narrow ? 8 : 64,
      }, {
        queries,
        query_norms: norms,
        bank: this.#bank.chunks[piece.chunk],
        images: exclude ? images : piece.norms,
        query_images: queryImages ?? norms,
        least,
        distances: squaredDistances,
        indices,
      });
    });
    const dispose = (): void => {
      for (const t of [packed, norms, least, squaredDistances, indices]) {
        t.dispose();
      }
    };
    return { squaredDistances, indices, dispose, [Symbol.dispose]: dispose };
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
    if (queryImages.size < rows || this.#pieces[0].images === undefined) {
      throw new RangeError(
        `Cannot leave out each query's own image: ${rows} queries have ${queryImages.size} images, and the bank has ${
          this.#pieces[0].images === undefined ? "none" : "its own"
        }`,
      );
    }
  }

  /** Frees the packed copy; the bank stays its owner's. */
  dispose(): void {
    this.#mean.dispose();
    this.#packed.dispose();
    for (const { norms, images } of this.#pieces) {
      norms.dispose();
      images?.dispose();
    }
  }

  /** Same as {@linkcode BankSearch.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function uploadImages(
  gpu: Gpu,
  piece: PackedPiece,
  images: ArrayLike<number> | undefined,
): Tensor | undefined {
  if (images === undefined) return undefined;
  const padded = Math.ceil(piece.rows / PANEL_ROWS) * PANEL_ROWS;
  const own = new Uint32Array(padded);
  for (let i = 0; i < piece.rows; i++) own[i] = images[piece.base + i];
  return gpu.upload(own, [padded], "bank images");
}
