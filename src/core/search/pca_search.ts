import type { Gpu, Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import {
  searchFinish,
  searchFinishDispatches,
  searchNearest,
} from "../../wgsl/search_finish.ts";
import {
  leadingGroupCount,
  searchLeading,
  searchLeadingSubgroup8,
  searchNarrow,
  searchNarrowSubgroup8,
} from "../../wgsl/search_leading.ts";
import type { LeadingAxes } from "./principal_axes.ts";
import {
  type BoundPiece,
  LeadingBounds,
  leadingBoundsBytes,
  MOST_PIECE_ROWS,
} from "./pca_bounds.ts";
import { uploadImages } from "../rows/packed_rows.ts";
import type {
  RecordedSearch,
  SearchBytes,
  SearchOptions,
  SearchSizes,
} from "./search_options.ts";

interface SearchPiece extends BoundPiece {
  readonly images: Tensor | undefined;
}

/**
 * Exact search by lower bounds from leading principal axes: a few axes rule most
 * groups of rows out, some more most rows of the others, and those that are left
 * are measured by direct differences.
 */
export class LeadingSearch implements Disposable {
  readonly #gpu: Gpu;
  readonly #bank: RowChunks;
  readonly #bounds: LeadingBounds;
  readonly #pieces: readonly SearchPiece[];

  private constructor(
    gpu: Gpu,
    bank: RowChunks,
    bounds: LeadingBounds,
    images: ArrayLike<number> | undefined,
  ) {
    this.#gpu = gpu;
    this.#bank = bank;
    this.#bounds = bounds;
    this.#pieces = bounds.pieces.map((piece) => ({
      ...piece,
      images: uploadImages(gpu, piece, images),
    }));
  }

  /** Packs the bank along the axes; nothing where squares overflow. */
  static async create(
    gpu: Gpu,
    bank: RowChunks,
    axes: LeadingAxes,
    images?: ArrayLike<number>,
  ): Promise<LeadingSearch | undefined> {
    const bounds = await LeadingBounds.create(gpu, bank, axes);
    return bounds && new LeadingSearch(gpu, bank, bounds, images);
  }

  /** Records a search; see `BankSearch`, which checks the sizes. */
  record(
    program: Program,
    queries: Tensor,
    { rows, k = 1, queryImages }: SearchOptions,
  ): RecordedSearch {
    const gpu = this.#gpu;
    const { dim, stride, errors } = this.#bounds;
    const prepared = this.#bounds.recordQueries(program, queries, rows);
    const { norms } = prepared;
    const groups = Math.max(
      ...this.#pieces.map((piece) => leadingGroupCount(piece.rows)),
    );
    const least = gpu.tensor([rows, groups], "f32", "least of groups");
    const resume = gpu.tensor([rows], "u32", "groups done");
    const squaredDistances = gpu.tensor([rows, k], "f32", "distances");
    const indices = gpu.tensor([rows, k], "u32", "neighbours");
    const narrow = gpu.subgroupSize === 8;
    const exclude = queryImages !== undefined;
    this.#pieces.forEach((piece, i) => {
      const compared = { queries: rows, rows: piece.rows, stride, exclude };
      const panels = {
        queries: prepared.rows,
        bank: piece.packed,
        images: exclude ? piece.images! : piece.norms,
        query_images: queryImages ?? norms,
      };
      const groups = leadingGroupCount(piece.rows);
      const lanes = narrow ? 8 : 64;
      const sizes = {
        ...errors,
        queries: rows,
        rows: piece.rows,
        dim: this.#bank.dim,
        first: piece.first,
        base: piece.base,
        groups,
        k,
        lanes,
      };
      const found = {
        queries,
        bank: this.#bank.chunks[piece.chunk],
        distances: squaredDistances,
        indices,
      };
      const nearest = { ...panels, ...found, query_norms: norms, least };
      program.dispatch(
        narrow ? searchLeadingSubgroup8 : searchLeading,
        { ...compared, dim },
        { ...panels, norms: piece.norms, least },
      );
      program.dispatch(
        searchNearest,
        { ...sizes, exclude, start: i === 0 },
        nearest,
      );
      program.dispatch(
        narrow ? searchNarrowSubgroup8 : searchNarrow,
        { ...compared, ...errors, dim: stride, k },
        {
          ...panels,
          norms: piece.allNorms,
          query_norms: norms,
          distances: squaredDistances,
          near: least,
        },
      );
      const dispatches = searchFinishDispatches(sizes);
      for (let turn = 0; turn < dispatches; turn++) {
        program.dispatch(
          searchFinish,
          { ...sizes, fresh: turn === 0, start: false },
          { ...found, near: least, resume },
        );
      }
    });
    const dispose = (): void => {
      prepared[Symbol.dispose]();
      for (const t of [least, resume, squaredDistances, indices]) t.dispose();
    };
    return { squaredDistances, indices, dispose, [Symbol.dispose]: dispose };
  }

  /** Frees the packed copy; the bank stays its owner's. */
  dispose(): void {
    this.#bounds.dispose();
    for (const { images } of this.#pieces) images?.dispose();
  }

  /** Same as {@linkcode LeadingSearch.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** GPU bytes of a {@linkcode LeadingSearch}. */
export function leadingSearchBytes(sizes: SearchSizes): SearchBytes {
  const { rows, k = 1 } = sizes;
  const groups = leadingGroupCount(Math.min(rows, MOST_PIECE_ROWS));
  const { bank, query } = leadingBoundsBytes(sizes);
  return { bank, query: query + (groups + 1 + 2 * k) * 4 };
}
