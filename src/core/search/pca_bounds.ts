import type { Gpu, Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import { packedNorms } from "../../wgsl/packed_norms.ts";
import { PANEL_ROWS } from "../../wgsl/pack_rows.ts";
import { rowNorms } from "../../wgsl/row_norms.ts";
import { PCA_AXES, type PrincipalAxes } from "./principal_axes.ts";
import {
  type PackedPiece,
  panelsBytes,
  planPieces,
} from "../rows/packed_rows.ts";
import { PcaProjection } from "./pca_projection.ts";
import { searchLeading } from "../../wgsl/search_leading.ts";
import type { SearchBytes, SearchSizes } from "./search_options.ts";

/** Rows of a piece at most: 4,096 groups of 8. */
export const MOST_PIECE_ROWS = 32_768;

/** Some of a bank's rows in the form that queries are compared with. */
export interface BoundPiece extends PackedPiece {
  /** Their squared norms along `dim` dimensions `[padded]`. */
  readonly norms: Tensor;
  /** And along `stride` ones. */
  readonly allNorms: Tensor;
}

/** Queries in the form that is compared with the bank's. */
interface BoundQueries extends Disposable {
  /** Along the axes `[rows, stride]`. */
  readonly rows: Tensor;
  /**
   * Their squared norms along `dim` dimensions, then along `stride` ones
   * `[2, padded]`.
   */
  readonly norms: Tensor;
}

/** How far the distance of compared rows may exceed the true one. */
export interface BoundErrors {
  /** Share of the squared norms, for the product's rounding. */
  readonly slack: number;
  /** Of the distance. */
  readonly radius: number;
  /** Share of the distance, on top. */
  readonly stretch: number;
}

/**
 * What lower bounds of distances to a bank's rows are made from: a packed copy
 * of the rows along their first principal axes.
 *
 * Along orthonormal axes V no difference is longer than it is: |Vᵀ(q − x)| ≤
 * |q − x|. In float32, with u = 2⁻²⁴, a sum of D products errs by at most
 * (D + 1) u times the sum of their magnitudes; over the columns of V that makes
 * |fl(Vᵀx) − Vᵀx| ≤ g |x|, g = (D + 4) u √d, x shifted by the mean m. With X ≥
 * |x − m| for all rows, |q − m| ≤ X + |q − x|, so the distance of projected
 * rows is at most |q − x| (1 + g) + 2 g X. Distances are measured by sums of D
 * squares, which err by (D + 16) u of themselves at most; `stretch` counts that, too,
 * so that a row is never ruled out that would be measured as nearer.
 */
export class PcaBounds implements Disposable {
  /** The bank in pieces, each within one of its chunks. */
  readonly pieces: BoundPiece[] = [];
  /** Dimensions that are compared first. */
  readonly dim: number;
  /** Dimensions that are compared of rows which are not ruled out then. */
  readonly stride: number;
  /** How the result must be read. */
  readonly errors: BoundErrors;
  readonly #gpu: Gpu;
  readonly #projection: PcaProjection;
  readonly #owned = new DisposableStack();

  private constructor(gpu: Gpu, axes: PrincipalAxes, radius: number) {
    const [dim, stride] = PCA_AXES;
    this.#gpu = gpu;
    this.#projection = this.#owned.use(new PcaProjection(gpu, axes));
    this.dim = dim;
    this.stride = stride;
    this.errors = boundErrors(this.#projection.dim, stride, radius);
  }

  /**
   * Makes the bounds of a bank.
   *
   * @param axes Principal axes of its rows, as many as {@linkcode PCA_AXES} says.
   * @returns Nothing when the rows are so large that their squares overflow.
   */
  static async create(
    gpu: Gpu,
    bank: RowChunks,
    axes: PrincipalAxes,
  ): Promise<PcaBounds | undefined> {
    const radius = await boundRadius(gpu, bank, axes);
    if (radius === undefined) return undefined;
    using failed = new DisposableStack();
    const bounds = failed.use(new PcaBounds(gpu, axes, radius));
    await bounds.#fill(bank);
    failed.move();
    return bounds;
  }

  async #fill(bank: RowChunks): Promise<void> {
    const { stride } = this;
    const { rows, rowsPerChunk } = bank;
    const most = Math.min(
      this.#gpu.maxTensorBytes,
      MOST_PIECE_ROWS * stride * 4,
    );
    const plan = planPieces({ rows, rowsPerChunk, dim: stride }, most);
    for (const piece of plan) {
      const source = bank.chunks[piece.chunk];
      this.pieces.push({ ...piece, ...await this.#pack(source, piece) });
    }
  }

  async #pack(
    source: Tensor,
    { rows, first: from }: Pick<BoundPiece, "rows" | "first">,
  ): Promise<Pick<BoundPiece, "packed" | "norms" | "allNorms">> {
    const gpu = this.#gpu;
    const { dim, stride } = this;
    const padded = Math.ceil(rows / PANEL_ROWS) * PANEL_ROWS;
    const norms = this.#owned.use(gpu.tensor([padded], "f32", "bank norms"));
    using along = gpu.tensor([rows, stride], "f32", "rows along the axes");
    const { packed, norms: allNorms } = await this.#projection.pack(
      source,
      along,
      { rows, from, access: gpu.pick(searchLeading).bindings.bank },
      (program, { packed }) =>
        program.dispatch(packedNorms, { rows, dim, stride }, { packed, norms }),
    );
    this.#owned.use(packed);
    this.#owned.use(allNorms);
    await gpu.finish();
    return { packed, norms, allNorms };
  }

  /** Records what must be done to the first `rows` rows of `queries`. */
  recordQueries(program: Program, queries: Tensor, rows: number): BoundQueries {
    const { dim, stride } = this;
    const padded = Math.ceil(rows / PANEL_ROWS) * PANEL_ROWS;
    using owned = new DisposableStack();
    const norms = owned.use(
      this.#gpu.tensor([2, padded], "f32", "query norms"),
    );
    const along = owned.use(
      this.#gpu.tensor([rows, stride], "f32", "queries along axes"),
    );
    this.#projection.record(program, queries, along, { rows });
    const tensors = { rows: along, shift: along, norms };
    program.dispatch(rowNorms, { rows, dim, stride }, tensors, "queries");
    const sizes = { rows, dim: stride, to: padded };
    program.dispatch(rowNorms, sizes, tensors, "queries");
    const kept = owned.move();
    return { rows: along, norms, [Symbol.dispose]: () => kept.dispose() };
  }

  /** Frees the packed copy. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

/** GPU bytes of {@linkcode PcaBounds} and of each query prepared for them. */
export function pcaBoundsBytes(
  { gpu, rows, dim }: SearchSizes,
): SearchBytes {
  const [, stride] = PCA_AXES;
  const along = Math.min(rows, MOST_PIECE_ROWS) * stride * 4;
  const { bank: access } = gpu.pick(searchLeading).bindings;
  const panels = panelsBytes(gpu, rows, stride, access);
  return {
    bank: panels + rows * 4 + along + dim * stride * 4,
    query: (stride + 2) * 4,
  };
}

/**
 * The errors of distances along some axes.
 *
 * @param radius What no row is farther from the mean than.
 */
export function boundErrors(
  dim: number,
  axes: number,
  radius: number,
): BoundErrors {
  // How much rounding adds to projected rows, as a share of their length.
  const growth = (dim + 4) * 2 ** -24 * Math.sqrt(axes) * 1.01;
  return {
    slack: (axes + 16) * 2 ** -23,
    radius: 2 * growth * radius,
    stretch: growth + (dim + 16) * 2 ** -24,
  };
}

/**
 * What no row is farther from the mean than.
 *
 * @returns Nothing when rows are so large that squares overflow, in the distance
 * or in what the axes were made from.
 */
export async function boundRadius(
  gpu: Gpu,
  rows: RowChunks,
  { mean, matrix }: PrincipalAxes,
): Promise<number | undefined> {
  const radius = await largestNorm(gpu, rows, mean);
  // Written so that what is not a number says no.
  return radius < 1e18 && matrix.every(Number.isFinite) ? radius : undefined;
}

/** The largest distance of a row to the mean, rounded up. */
async function largestNorm(
  gpu: Gpu,
  bank: RowChunks,
  mean: Float32Array<ArrayBuffer>,
): Promise<number> {
  const { dim } = bank;
  using shift = gpu.upload(mean, [dim], "bank mean");
  using program = gpu.program("bank norms");
  using scope = new DisposableStack();
  const norms = bank.chunks.map((rows) => {
    const count = rows.shape[0];
    const norms = scope.use(gpu.tensor([count], "f32", "bank norms"));
    const sizes = { rows: count, dim, shift: true };
    program.dispatch(rowNorms, sizes, { rows, shift, norms });
    return norms;
  });
  (await program.compile()).run();
  let most = 0;
  for (const tensor of norms) {
    for (const norm of await gpu.readFloats(tensor)) {
      if (!(norm <= most)) most = norm;
    }
  }
  return Math.sqrt(most) * 1.001;
}
