import type { RowChunks, Tensor } from "../../gpu/mod.ts";

/** Rows that lie within one chunk of each of two row sets. */
export interface RowSpan {
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
 * @param y The second one.
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
