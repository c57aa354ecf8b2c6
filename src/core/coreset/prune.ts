import type { Gpu, Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import {
  coresetRuleOut,
  type CoresetRuleOutSizes,
} from "../../wgsl/coreset_rule_out.ts";
import { projectRows } from "../../wgsl/project_rows.ts";
import { PANEL_ROWS } from "../../wgsl/pack_rows.ts";
import { rowNorms } from "../../wgsl/row_norms.ts";
import type { CoresetRows } from "./state.ts";
import { type PrincipalAxes, principalAxes } from "../search/principal_axes.ts";
import {
  type BoundErrors,
  boundErrors,
  boundRadius,
} from "../search/pca_bounds.ts";
import { PcaProjection } from "../search/pca_projection.ts";
import { packedBytes } from "../rows/packed_rows.ts";

/** New centres that are compared at once. */
export const CENTRES_AT_ONCE = 1024;

/** Words with a bit for each of them. */
const WORDS = CENTRES_AT_ONCE / 32;

/** Axes that rows are compared along. */
const AXES = 48;

/** Rounds to find them. */
const ROUNDS = 3;

/** Less work (rows × picks × elements) is done as quickly without. */
const LEAST_WORK = 2 ** 33;

/** Share of the rows' variance that the axes must hold to prune much. */
const LEAST_SHARE = 0.7;

/** Rows of a piece at most, for what is needed to pack it. */
const MOST_PIECE_ROWS = 32_768;

/** Consecutive rows of one packed piece of the coreset's rows. */
interface Piece {
  /** Which packed piece. */
  readonly of: number;
  /** Its panel where they begin. */
  readonly to: number;
  /** Index of the first in the whole row set. */
  readonly base: number;
  /** How many they are. */
  readonly rows: number;
  /** Along the axes, in panels. */
  readonly packed: Tensor;
  /** Their squared norms. */
  readonly norms: Tensor;
}

/** The 48 axes that distances are compared along. */
export interface PruningAxes extends Pick<PrincipalAxes, "mean" | "matrix"> {
  /** What no row is farther from the mean than. */
  readonly radius: number;
}

/**
 * Finds the principal axes of rows.
 *
 * @param rows Of more than 48 elements.
 * @returns Nothing when the rows differ in all directions alike, so that little
 * could be pruned, or where squares overflow.
 */
export async function pruningAxes(
  gpu: Gpu,
  rows: RowChunks,
): Promise<PruningAxes | undefined> {
  const axes = await principalAxes(gpu, rows, AXES, ROUNDS);
  const { mean, matrix } = axes;
  const radius = await boundRadius(gpu, rows, axes);
  // The share is no number of rows that are all alike, or that a dry run does not
  // know: they have bounds.
  return radius === undefined || shareOf(axes) < LEAST_SHARE
    ? undefined
    : { mean, matrix, radius };
}

/**
 * Prunes, for every panel of 64 rows, the new centres that are no nearer to any
 * of them than what they have: by the distance along the principal axes of all
 * rows, which is no longer than the true one. See `PcaBounds` for the rounding.
 */
export class CoresetPruning implements Disposable {
  /** For each packed piece, a bit per panel and centre `[panels, 32]`. */
  readonly alive: readonly Tensor[];
  readonly #state: CoresetRows;
  readonly #pieces: Piece[] = [];
  readonly #errors: BoundErrors;
  readonly #projection: PcaProjection;
  readonly #centres: Tensor;
  readonly #centreNorms: Tensor;

  private constructor(state: CoresetRows, axes: PruningAxes) {
    const { gpu, rows, packed } = state;
    this.#state = state;
    this.#errors = boundErrors(rows.dim, AXES, axes.radius);
    this.#projection = new PcaProjection(gpu, axes);
    const shape = [CENTRES_AT_ONCE, AXES];
    this.#centres = gpu.tensor(shape, "f32", "centres along the axes");
    this.#centreNorms = gpu.tensor([CENTRES_AT_ONCE], "f32", "centre norms");
    this.alive = packed.pieces.map((piece) =>
      gpu.tensor([panelsOf(piece.rows), WORDS], "u32", "alive centres")
    );
  }

  /**
   * Packs the rows that may be picked, along the axes.
   *
   * @param of Those rows, row-major, as they were packed from; they may be
   * disposed afterwards.
   */
  static async create(
    state: CoresetRows,
    of: RowChunks,
    axes: PruningAxes,
  ): Promise<CoresetPruning> {
    const pruning = new CoresetPruning(state, axes);
    await pruning.#fill(of);
    return pruning;
  }

  async #fill(of: RowChunks): Promise<void> {
    const { gpu, packed } = this.#state;
    const spans = packed.pieces.flatMap((piece, of) =>
      spansOf(piece.rows).map(({ first, rows }) => ({
        of,
        to: first / PANEL_ROWS,
        base: piece.base + first,
        rows,
      }))
    );
    const most = Math.max(...spans.map(({ rows }) => rows));
    using along = gpu.tensor([most, AXES], "f32", "rows along the axes");
    for (const span of spans) {
      const { chunk, row: from } = of.locate(span.base);
      const { rows } = span;
      const source = of.chunks[chunk];
      const panels = await this.#projection.pack(source, along, {
        rows,
        from,
        access: gpu.pick(coresetRuleOut).bindings.packed,
      });
      this.#pieces.push({ ...span, ...panels });
    }
  }

  /**
   * Records the comparison of all rows with up to 1,024 new centres.
   *
   * @param unused What is bound where nothing is needed.
   * @returns Sets the parameters for the centres from `first` to before `end`.
   */
  record(
    program: Program,
    unused: Tensor,
  ): (first: number, end: number) => void {
    const { gpu, centres, anchors, followed, limit } = this.#state;
    const kernel = gpu.pick(coresetRuleOut);
    const count = Math.min(CENTRES_AT_ONCE, limit);
    const at = program.length;
    const projecting = this.#projection.record(
      program,
      centres,
      this.#centres,
      { rows: count },
    );
    program.dispatch(rowNorms, { rows: count, dim: AXES }, {
      rows: this.#centres,
      shift: this.#projection.mean,
      norms: this.#centreNorms,
    });
    const sizes = this.#pieces.map((piece): CoresetRuleOutSizes => {
      const { rows, base, to } = piece;
      const sizes = {
        ...{ rows, base, to, axes: AXES, count, words: WORDS },
        ...this.#errors,
        folds: followed !== undefined,
      };
      program.dispatch(kernel, sizes, {
        packed: piece.packed,
        row_norms: piece.norms,
        centres: this.#centres,
        centre_norms: this.#centreNorms,
        anchors,
        nearest: followed?.nearest ?? unused,
        alive: this.alive[piece.of],
      });
      return sizes;
    });
    const project = gpu.pick(projectRows);
    return (first, end) => {
      const count = end - first;
      const projected = { ...projecting, rows: count, from: first };
      program.setParams(at, project.plan(projected).params);
      sizes.forEach((of, i) =>
        program.setParams(at + 2 + i, kernel.plan({ ...of, count }).params)
      );
    };
  }

  /** Frees everything but the rows. */
  [Symbol.dispose](): void {
    this.#projection[Symbol.dispose]();
    const owned = [this.#centres, this.#centreNorms, ...this.alive];
    for (const tensor of owned) tensor.dispose();
    for (const { packed, norms } of this.#pieces) {
      packed.dispose();
      norms.dispose();
    }
  }
}

/** Whether pruning spares more than its bounds take to make. */
export function pruningPays(rows: number, dim: number, picks: number): boolean {
  return dim >= 2 * AXES && rows * picks * dim >= LEAST_WORK;
}

/** GPU bytes of {@linkcode CoresetPruning} for so many rows. */
export function pruningBytes(rows: number): number {
  return packedBytes(rows, AXES) + panelsOf(rows) * (PANEL_ROWS + WORDS) * 4 +
    2 * MOST_PIECE_ROWS * AXES * 4 + rows * 4 + 2 ** 20;
}

function shareOf({ samples, scores }: PrincipalAxes): number {
  return squares(scores) / squares(samples);
}

function squares(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}

function panelsOf(rows: number): number {
  return Math.ceil(rows / PANEL_ROWS);
}

function spansOf(rows: number): { first: number; rows: number }[] {
  return Array.from({ length: Math.ceil(rows / MOST_PIECE_ROWS) }, (_, i) => {
    const first = i * MOST_PIECE_ROWS;
    return { first, rows: Math.min(MOST_PIECE_ROWS, rows - first) };
  });
}
