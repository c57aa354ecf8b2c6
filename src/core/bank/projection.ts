import { type Gpu, RowChunks } from "../../gpu/mod.ts";
import { roundUp } from "../../wgsl/grid.ts";
import { rowSpans } from "./row_spans.ts";
import { projectRows, projectRowsSubgroup8 } from "../../wgsl/project_rows.ts";

/** A matrix that projects features, as the random generators draw it. */
export interface Projection {
  /** Length of a projected feature. */
  readonly outputs: number;
  /** Length of a feature, without padding. */
  readonly inputs: number;
  /** `[outputs, inputs]`, row-major. */
  readonly matrix: Float32Array;
}

/**
 * Projects rows: `y = matrix · x` for every row.
 *
 * @param gpu Where the rows are.
 * @param rows Row-major `[N, inputs padded]`.
 * @returns New rows `[N, outputs padded]`; padding is zero.
 * @throws {RangeError} If the matrix has another size than it says or the rows
 * are shorter than it expects.
 */
export async function project(
  gpu: Gpu,
  rows: RowChunks,
  { outputs, inputs, matrix }: Projection,
): Promise<RowChunks> {
  const { dim } = rows;
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
  using w = gpu.upload(weights, [dim, columns], "projection");
  const projected = RowChunks.allocate(gpu, rows.rows, columns, "projected");
  const kernel = gpu.subgroupSize === 8 ? projectRowsSubgroup8 : projectRows;
  using program = gpu.program("projection");
  for (const { x, from, y, to, rows: count } of rowSpans(rows, projected)) {
    program.dispatch(
      kernel,
      { rows: count, dim, outputs: columns, from, to },
      { x, w, y },
    );
  }
  (await program.compile()).run();
  await gpu.finish();
  return projected;
}

/** GPU bytes of {@linkcode project}'s result. */
export function projectedBytes(rows: number, outputs: number): number {
  return rows * roundUp(outputs, 4) * 4;
}
