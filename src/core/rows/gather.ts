import {
  type Gpu,
  type Program,
  RowChunks,
  type Tensor,
} from "../../gpu/mod.ts";
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

/**
 * Copies listed rows into a row set of their own.
 *
 * @param gpu The device.
 * @param rows The rows to choose from.
 * @param picks Rows to copy, in the order wanted.
 * @param label What the copies are, for messages.
 */
export async function gatherRows(
  gpu: Gpu,
  rows: RowChunks,
  picks: Uint32Array,
  label: string,
): Promise<RowChunks> {
  const { dim } = rows;
  const copies = RowChunks.allocate(gpu, picks.length, dim, label);
  using program = gpu.program(label);
  const lists = copies.chunks.map((chunk, i) => {
    const start = i * copies.rowsPerChunk;
    const list = picks.slice(start, start + chunk.shape[0]);
    return gpu.upload(list, [list.length], "picks");
  });
  copies.chunks.forEach((y, i) =>
    recordGather(program, rows, lists[i], y.shape[0], y)
  );
  (await program.compile()).run();
  await gpu.finish();
  for (const list of lists) list.dispose();
  return copies;
}
