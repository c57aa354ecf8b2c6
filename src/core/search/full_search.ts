import type { Gpu, Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import { elementwise } from "../../wgsl/elementwise.ts";
import { rowNorms } from "../../wgsl/row_norms.ts";
import { sampleMean } from "../../wgsl/sample_mean.ts";
import { searchGroupCount, searchGroups } from "../../wgsl/search_groups.ts";
import { searchRefine } from "../../wgsl/search_refine.ts";
import { WORKGROUP_LANES } from "../../wgsl/variants.ts";
import {
  type PackedPiece,
  panelsBytes,
  panelsToRead,
  planPieces,
  recordPanels,
  uploadImages,
} from "../rows/packed_rows.ts";
import type {
  RecordedSearch,
  SearchBytes,
  SearchOptions,
  SearchSizes,
} from "./search_options.ts";

/** Groups that a bank is divided into at most, when it is one piece. */
const MOST_GROUPS = 4096;

interface SearchPiece extends PackedPiece {
  readonly norms: Tensor;
  readonly images: Tensor | undefined;
}

/** Exact search by lower bounds from all dimensions: as tight as rounding allows. */
export class FullSearch implements Disposable {
  readonly #gpu: Gpu;
  readonly #bank: RowChunks;
  readonly #mean: Tensor;
  readonly #pieces: readonly SearchPiece[];
  readonly #panelsPerGroup: number;
  readonly #owned: DisposableStack;

  private constructor(
    gpu: Gpu,
    bank: RowChunks,
    mean: Tensor,
    pieces: readonly SearchPiece[],
    owned: DisposableStack,
  ) {
    this.#gpu = gpu;
    this.#bank = bank;
    this.#mean = mean;
    this.#pieces = pieces;
    this.#owned = owned;
    this.#panelsPerGroup = panelsPerGroup(bank.rows);
  }

  /** Packs the bank. */
  static async create(
    gpu: Gpu,
    bank: RowChunks,
    images?: ArrayLike<number>,
  ): Promise<FullSearch> {
    const { dim } = bank;
    using owned = new DisposableStack();
    const mean = owned.use(gpu.tensor([dim], "f32", "bank mean"));
    using start = gpu.program("bank mean");
    start.dispatch(
      sampleMean,
      { rows: bank.chunks[0].shape[0], dim },
      { rows: bank.chunks[0], mean },
    );
    (await start.compile()).run();
    const pieces: SearchPiece[] = [];
    // One after the other: while an image is made, its panels are there twice.
    for (const piece of planPieces(bank, gpu.maxTensorBytes)) {
      using program = gpu.program("bank panels");
      const source = bank.chunks[piece.chunk];
      const { packed, norms } = recordPanels(
        gpu,
        program,
        source,
        { ...piece, dim },
        mean,
      );
      owned.use(packed);
      owned.use(norms);
      (await program.compile()).run();
      pieces.push({
        ...piece,
        packed: owned.use(
          panelsToRead(gpu, packed, gpu.pick(searchGroups).bindings.bank),
        ),
        norms,
        images: owned.use(uploadImages(gpu, piece, images)),
      });
    }
    return new FullSearch(gpu, bank, mean, pieces, owned.move());
  }

  /** Records a search; see `BankSearch`, which checks the sizes. */
  record(
    program: Program,
    queries: Tensor,
    { rows, k = 1, queryImages }: SearchOptions,
  ): RecordedSearch {
    const gpu = this.#gpu;
    const { dim } = this.#bank;
    const groupsOf = (piece: SearchPiece): number =>
      searchGroupCount(piece.rows, this.#panelsPerGroup);
    using owned = new DisposableStack();
    const tensor = (columns: number, dtype: "f32" | "u32", label: string) =>
      owned.use(gpu.tensor([rows, columns], dtype, label));
    const shifted = tensor(dim, "f32", "queries");
    const norms = tensor(1, "f32", "query norms");
    const groups = Math.max(...this.#pieces.map(groupsOf));
    const least = tensor(groups, "f32", "least of groups");
    const squaredDistances = tensor(k, "f32", "distances");
    const indices = tensor(k, "u32", "neighbours");

    recordShift(program, { rows, dim }, {
      rows: queries,
      shift: this.#mean,
      shifted,
      norms,
    });
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
      program.dispatch(
        gpu.pick(searchGroups),
        sizes,
        {
          queries: shifted,
          bank: piece.packed,
          norms: piece.norms,
          images: exclude ? images : piece.norms,
          query_images: queryImages ?? norms,
          least,
        },
      );
      program.dispatch(searchRefine, {
        ...sizes,
        first: piece.first,
        base: piece.base,
        groups: groupsOf(piece),
        k,
        start: i === 0,
        slack: (dim + 16) * 2 ** -23,
        lanes: gpu.pick(WORKGROUP_LANES),
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
    const kept = owned.move();
    const dispose = (): void => kept.dispose();
    return { squaredDistances, indices, dispose, [Symbol.dispose]: dispose };
  }

  /** Frees the packed copy; the bank stays its owner's. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

/** GPU bytes of a {@linkcode FullSearch}. */
export function fullSearchBytes(
  { gpu, rows, dim, k = 1 }: SearchSizes,
): SearchBytes {
  const groups = searchGroupCount(rows, panelsPerGroup(rows));
  const { bank: access } = gpu.pick(searchGroups).bindings;
  return {
    bank: panelsBytes(gpu, rows, dim, access) + dim * 4,
    query: (dim + 1 + groups + 2 * k) * 4,
  };
}

function panelsPerGroup(rows: number): number {
  return Math.max(1, Math.ceil(Math.ceil(rows / 8) / MOST_GROUPS));
}

/**
 * Records what is done to queries: a vector taken from each, and their norms then.
 *
 * @param sizes Number and length of the queries.
 * @param tensors Queries and vector; what they become, and their squared norms.
 */
export function recordShift(
  program: Program,
  { rows, dim }: { readonly rows: number; readonly dim: number },
  { rows: queries, shift, shifted, norms }: Readonly<
    Record<"rows" | "shift" | "shifted" | "norms", Tensor>
  >,
): void {
  program.dispatch(
    elementwise,
    {
      images: 1,
      pixels: rows,
      channels: dim,
      operation: "subtract",
      broadcast: "channel",
    },
    { x: queries, b: shift, c: shift, y: shifted },
    "queries",
  );
  program.dispatch(
    rowNorms,
    { rows, dim },
    { rows: shifted, shift, norms },
    "queries",
  );
}
