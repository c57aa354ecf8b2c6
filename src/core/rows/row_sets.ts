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
 * @param picks Rows to copy, in the order wanted.
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

/** Rows that lie within one chunk of each of two row sets. */
interface RowSpan {
  /** Chunk of the first row set. */
  readonly x: Tensor;
  /** Row within that chunk. */
  readonly from: number;
  /** Chunk of the second row set. */
  readonly y: Tensor;
  /** Row within that chunk. */
  readonly to: number;
  /** Number of rows. */
  readonly rows: number;
}

/**
 * Divides the rows of one row set and as many of another into spans that cross
 * no chunk's border.
 *
 * @param x The first row set, from its first row on.
 * @param first Its row that belongs to the first one's first.
 */
export function* rowSpans(
  x: RowChunks,
  y: RowChunks,
  first = 0,
): Generator<RowSpan> {
  for (let row = 0; row < x.rows;) {
    const from = x.locate(row);
    const to = y.locate(first + row);
    const [source, target] = [x.chunks[from.chunk], y.chunks[to.chunk]];
    const rows = Math.min(
      source.shape[0] - from.row,
      target.shape[0] - to.row,
    );
    yield { x: source, from: from.row, y: target, to: to.row, rows };
    row += rows;
  }
}

/**
 * Copies all rows of a row set into another one of the same dimensions.
 *
 * @param first The first row there.
 */
export function copyRowSpans(
  gpu: Gpu,
  from: RowChunks,
  to: RowChunks,
  first: number,
): void {
  const { dim } = from;
  for (const span of rowSpans(from, to, first)) {
    gpu.copy(span.x, span.y, {
      fromOffset: span.from * dim,
      toOffset: span.to * dim,
      count: span.rows * dim,
    });
  }
}
