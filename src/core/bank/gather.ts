import type { Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import { copyRows } from "../../wgsl/copy_rows.ts";

/**
 * Records the copy of listed rows into a tensor.
 *
 * @param program Where to record it.
 * @param rows The rows to choose from.
 * @param indices Rows to copy (u32).
 * @param count How many of `indices` to copy, from the first on.
 * @param to `[≥ count, dim]`.
 */
export function recordGather(
  program: Program,
  rows: RowChunks,
  indices: Tensor,
  count: number,
  to: Tensor,
): void {
  const { dim, rowsPerChunk, chunks } = rows;
  chunks.forEach((x, i) => {
    program.dispatch(copyRows, {
      rows: count,
      dim,
      first: i * rowsPerChunk,
      count: x.shape[0],
    }, { x, indices, y: to });
  });
}
