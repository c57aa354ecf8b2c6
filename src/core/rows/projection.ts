import {
  type Gpu,
  RowChunks,
  type Storage,
  storageOf,
  type Tensor,
} from "../../gpu/mod.ts";
import { roundUp } from "../../wgsl/grid.ts";
import { projectRows } from "../../wgsl/project_rows.ts";
import { rowSpans } from "./row_sets.ts";

/** A matrix of features, row-major. */
export interface StoredProjection {
  /** Rows: dimensions after the projection. */
  readonly rows: number;
  /** Columns: dimensions before the projection. */
  readonly columns: number;
  /** `rows × columns` numbers. */
  readonly data: Float32Array;
}

/** A matrix that projects features, as the random generators draw it. */
export interface Projection {
  /** Length of a projected feature. */
  readonly outputs: number;
  /** Length of a feature, without padding. */
  readonly inputs: number;
  /** `[outputs, inputs]`, row-major. */
  readonly matrix: Float32Array;
}

/** Where the kernel that projects rows on an adapter reads the matrix from. */
export function projectionStorage(gpu: Gpu): Storage {
  return storageOf(gpu.pick(projectRows).bindings.w);
}

/** Projects rows, any number of times: `y = matrix · x` for every row. */
export class Projector implements Disposable {
  /** Elements of a projected row, padding included. */
  readonly columns: number;
  readonly #gpu: Gpu;
  readonly #dim: number;
  readonly #weights: Tensor;

  /**
   * @param dim Elements of a row, padding included.
   * @throws {RangeError} If the matrix has another size than it says or rows are
   * shorter than it expects.
   */
  constructor(
    gpu: Gpu,
    dim: number,
    { outputs, inputs, matrix }: Projection,
  ) {
    if (matrix.length !== outputs * inputs || roundUp(inputs, 4) !== dim) {
      throw new RangeError(
        `Cannot project rows of ${dim} elements: the matrix has ${matrix.length} elements, expected ${outputs} × ${inputs} for rows of ${
          roundUp(inputs, 4)
        }`,
      );
    }
    const columns = roundUp(outputs, 4);
    const weights = new Float32Array(dim * columns);
    for (let o = 0; o < outputs; o++) {
      for (let k = 0; k < inputs; k++) {
        weights[k * columns + o] = matrix[o * inputs + k];
      }
    }
    this.columns = columns;
    this.#gpu = gpu;
    this.#dim = dim;
    const storage = projectionStorage(gpu);
    const shape = [dim, columns];
    this.#weights = gpu.upload(weights, shape, "projection", storage);
  }

  /**
   * Submits the projection of rows; does not wait for it.
   *
   * @param rows Row-major `[N, dim]`.
   * @param to Where they go `[≥ first + N, columns]`; padding becomes zero.
   * @param first The first row there.
   */
  async run(rows: RowChunks, to: RowChunks, first = 0): Promise<void> {
    const gpu = this.#gpu;
    const kernel = gpu.pick(projectRows);
    using program = gpu.program("projection");
    const sizes = { dim: this.#dim, outputs: this.columns };
    const w = this.#weights;
    for (const span of rowSpans(rows, to, first)) {
      program.dispatch(
        kernel,
        { rows: span.rows, ...sizes, from: span.from, to: span.to },
        { x: span.x, w, shift: span.x, y: span.y },
      );
    }
    (await program.compile()).run();
  }

  /** Frees the matrix. */
  [Symbol.dispose](): void {
    this.#weights.dispose();
  }
}

/**
 * Projects rows into a row set of their own.
 *
 * @param rows Row-major `[N, inputs padded]`.
 * @returns New rows `[N, outputs padded]`; padding is zero.
 * @throws {RangeError} What {@linkcode Projector} throws.
 */
export async function project(
  gpu: Gpu,
  rows: RowChunks,
  projection: Projection,
): Promise<RowChunks> {
  using projector = new Projector(gpu, rows.dim, projection);
  const { columns } = projector;
  const projected = RowChunks.allocate(gpu, rows.rows, columns, "projected");
  await projector.run(rows, projected);
  await gpu.finish();
  return projected;
}

/** GPU bytes of {@linkcode project}'s result. */
export function projectedBytes(rows: number, outputs: number): number {
  return rows * roundUp(outputs, 4) * 4;
}
