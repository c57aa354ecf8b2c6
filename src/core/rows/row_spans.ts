import type { Gpu, RowChunks, Tensor } from "../../gpu/mod.ts";

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

/**
 * Copies all rows of a row set into another one of the same dimensions.
 *
 * @param gpu The device.
 * @param from The rows.
 * @param to Where they go.
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
