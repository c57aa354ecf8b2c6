import type { Gpu, Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import { packedNorms } from "../../wgsl/packed_norms.ts";
import { PANEL_ROWS } from "../../wgsl/pack_rows.ts";
import { projectionKernel } from "../rows/projection.ts";
import { rowNorms } from "../../wgsl/row_norms.ts";
import type { SearchBytes, SearchSizes } from "./search_options.ts";
import { LEADING_AXES, type LeadingAxes } from "./principal_axes.ts";
import {
  type PackedPiece,
  panelsBytes,
  panelsToRead,
  planPieces,
  recordPanels,
} from "../rows/packed_rows.ts";

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
export interface BoundQueries extends Disposable {
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
 * of the rows along their leading principal axes.
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
export class LeadingBounds implements Disposable {
  /** The bank in pieces, each within one of its chunks. */
  readonly pieces: BoundPiece[] = [];
  /** Dimensions that are compared first. */
  readonly dim: number;
  /** Dimensions that are compared of rows which are not ruled out then. */
  readonly stride: number;
  /** How the result must be read. */
  readonly errors: BoundErrors;
  readonly #gpu: Gpu;
  readonly #inputs: number;
  readonly #mean: Tensor;
  readonly #axes: Tensor;

  private constructor(
    gpu: Gpu,
    bank: RowChunks,
    { mean, matrix }: LeadingAxes,
    radius: number,
  ) {
    const [dim, stride] = LEADING_AXES;
    this.#gpu = gpu;
    this.#inputs = bank.dim;
    this.#mean = gpu.upload(mean, [bank.dim], "bank mean");
    this.#axes = gpu.upload(
      matrix,
      [bank.dim, stride],
      "leading axes",
      projectionKernel(gpu).storage,
    );
    this.dim = dim;
    this.stride = stride;
    this.errors = boundErrors(bank.dim, stride, radius);
  }

  /**
   * Makes the bounds of a bank.
   *
   * @param axes Leading axes of its rows, as many as {@linkcode LEADING_AXES} says.
   * @returns Nothing when the rows are so large that their squares overflow.
   */
  static async create(
    gpu: Gpu,
    bank: RowChunks,
    axes: LeadingAxes,
  ): Promise<LeadingBounds | undefined> {
    const radius = await boundRadius(gpu, bank, axes);
    if (radius === undefined) return undefined;
    const bounds = new LeadingBounds(gpu, bank, axes, radius);
    await bounds.#fill(bank);
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
    { rows, first }: Pick<BoundPiece, "rows" | "first">,
  ): Promise<Pick<BoundPiece, "packed" | "norms" | "allNorms">> {
    const gpu = this.#gpu;
    const { dim, stride } = this;
    using program = gpu.program("bank bounds");
    using along = this.#recordProjection(program, source, rows, first);
    const sizes = { rows, dim: stride };
    const { packed, norms: allNorms } = recordPanels(
      gpu,
      program,
      along,
      sizes,
    );
    const norms = gpu.tensor([allNorms.size], "f32", "bank norms");
    program.dispatch(packedNorms, { rows, dim, stride }, { packed, norms });
    (await program.compile()).run();
    const read = panelsToRead(gpu, packed);
    await gpu.finish();
    return { packed: read, norms, allNorms };
  }

  /** Records the projection of rows to the axes, `[rows, stride]`. */
  #recordProjection(
    program: Program,
    x: Tensor,
    rows: number,
    from: number,
  ): Tensor {
    const { stride: outputs } = this;
    const y = this.#gpu.tensor([rows, outputs], "f32", "rows along the axes");
    program.dispatch(
      projectionKernel(this.#gpu).kernel,
      { rows, dim: this.#inputs, outputs, from, to: 0, shift: true },
      { x, w: this.#axes, shift: this.#mean, y },
      "bounds",
    );
    return y;
  }

  /** Records what must be done to the first `rows` rows of `queries`. */
  recordQueries(program: Program, queries: Tensor, rows: number): BoundQueries {
    const { dim, stride } = this;
    const padded = Math.ceil(rows / PANEL_ROWS) * PANEL_ROWS;
    const norms = this.#gpu.tensor([2, padded], "f32", "query norms");
    const along = this.#recordProjection(program, queries, rows, 0);
    const tensors = { rows: along, shift: along, norms };
    program.dispatch(rowNorms, { rows, dim, stride }, tensors, "queries");
    const sizes = { rows, dim: stride, to: padded };
    program.dispatch(rowNorms, sizes, tensors, "queries");
    return {
      rows: along,
      norms,
      [Symbol.dispose]() {
        along.dispose();
        norms.dispose();
      },
    };
  }

  /** Frees the packed copy. */
  dispose(): void {
    this.#mean.dispose();
    this.#axes.dispose();
    for (const { packed, norms, allNorms } of this.pieces) {
      for (const tensor of [packed, norms, allNorms]) tensor.dispose();
    }
  }

  /** Same as {@linkcode LeadingBounds.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** GPU bytes of {@linkcode LeadingBounds} and of each query prepared for them. */
export function leadingBoundsBytes(
  { gpu, rows, dim }: SearchSizes,
): SearchBytes {
  const [, stride] = LEADING_AXES;
  const along = Math.min(rows, MOST_PIECE_ROWS) * stride * 4;
  return {
    bank: panelsBytes(gpu, rows, stride) + rows * 4 + along + dim * stride * 4,
    query: (stride + 2) * 4,
  };
}

/**
 * The errors of distances along some axes.
 *
 * @param dim Elements of a row.
 * @param axes How many axes.
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
  { mean, matrix }: LeadingAxes,
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
