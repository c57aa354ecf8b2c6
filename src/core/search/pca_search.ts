import type { Gpu, Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import {
  searchFinish,
  searchFinishDispatches,
  searchNearest,
} from "../../wgsl/search_finish.ts";
import {
  leadingGroupCount,
  searchLeading,
  searchNarrow,
} from "../../wgsl/search_leading.ts";
import { WORKGROUP_LANES } from "../../wgsl/variants.ts";
import type { PrincipalAxes } from "./principal_axes.ts";
import {
  type BoundPiece,
  MOST_PIECE_ROWS,
  PcaBounds,
  pcaBoundsBytes,
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
 * Exact search by lower bounds along principal axes (PCA): a few axes rule most
 * groups of rows out, some more most rows of the others, and those that are left
 * are measured by direct differences.
 */
export class PcaSearch implements Disposable {
  readonly #gpu: Gpu;
  readonly #bank: RowChunks;
  readonly #bounds: PcaBounds;
  readonly #pieces: readonly SearchPiece[];
  readonly #owned: DisposableStack;

  private constructor(
    gpu: Gpu,
    bank: RowChunks,
    bounds: PcaBounds,
    images: ArrayLike<number> | undefined,
  ) {
    using owned = new DisposableStack();
    owned.use(bounds);
    this.#gpu = gpu;
    this.#bank = bank;
    this.#bounds = bounds;
    this.#pieces = bounds.pieces.map((piece) => ({
      ...piece,
      images: owned.use(uploadImages(gpu, piece, images)),
    }));
    this.#owned = owned.move();
  }

  /** Packs the bank along the axes; nothing where squares overflow. */
  static async create(
    gpu: Gpu,
    bank: RowChunks,
    axes: PrincipalAxes,
    images?: ArrayLike<number>,
  ): Promise<PcaSearch | undefined> {
    const bounds = await PcaBounds.create(gpu, bank, axes);
    return bounds && new PcaSearch(gpu, bank, bounds, images);
  }

  /** Records a search; see `BankSearch`, which checks the sizes. */
  record(
    program: Program,
    queries: Tensor,
    { rows, k = 1, queryImages }: SearchOptions,
  ): RecordedSearch {
    const gpu = this.#gpu;
    const { dim, stride, errors } = this.#bounds;
    using owned = new DisposableStack();
    const tensor = (columns: number, dtype: "f32" | "u32", label: string) =>
      owned.use(gpu.tensor([rows, columns], dtype, label));
    const prepared = owned.use(
      this.#bounds.recordQueries(program, queries, rows),
    );
    const { norms } = prepared;
    const groups = Math.max(
      ...this.#pieces.map((piece) => leadingGroupCount(piece.rows)),
    );
    const least = tensor(groups, "f32", "least of groups");
    const resume = tensor(1, "u32", "groups done");
    const squaredDistances = tensor(k, "f32", "distances");
    const indices = tensor(k, "u32", "neighbours");
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
      const lanes = gpu.pick(WORKGROUP_LANES);
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
        gpu.pick(searchLeading),
        { ...compared, dim },
        { ...panels, norms: piece.norms, least },
      );
      program.dispatch(
        searchNearest,
        { ...sizes, exclude, start: i === 0 },
        nearest,
      );
      program.dispatch(
        gpu.pick(searchNarrow),
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
    const kept = owned.move();
    const dispose = (): void => kept.dispose();
    return { squaredDistances, indices, dispose, [Symbol.dispose]: dispose };
  }

  /** Frees the packed copy; the bank stays its owner's. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

/** GPU bytes of a {@linkcode PcaSearch}. */
export function pcaSearchBytes(sizes: SearchSizes): SearchBytes {
  const { rows, k = 1 } = sizes;
  const groups = leadingGroupCount(Math.min(rows, MOST_PIECE_ROWS));
  const { bank, query } = pcaBoundsBytes(sizes);
  return { bank, query: query + (groups + 1 + 2 * k) * 4 };
}
