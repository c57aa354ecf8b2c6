import type { Gpu } from "./gpu.ts";
import type { Tensor } from "./tensor.ts";

/**
 * A row set `[rows, dim]` of any size as a list of tensors, each within one
 * binding. All chunks but the last hold `rowsPerChunk` rows.
 */
export class RowChunks implements Disposable {
  /** Number of rows. */
  readonly rows: number;
  /** Number of 32-bit elements of a row, a multiple of 4. */
  readonly dim: number;
  /** Rows of every chunk but the last. */
  readonly rowsPerChunk: number;
  /** The chunks, `[rowsPerChunk, dim]` each. */
  readonly chunks: readonly Tensor[];

  /**
   * Allocates the chunks with undefined contents.
   *
   * @param gpu Where to allocate.
   * @param rows Number of rows.
   * @param dim Elements of a row.
   * @param label What the rows are, for messages.
   * @param rowStep Rows of a chunk are a multiple of this (an image's patches).
   */
  constructor(gpu: Gpu, rows: number, dim: number, label: string, rowStep = 1) {
    const most = Math.floor(gpu.maxTensorBytes / (dim * 4 * rowStep)) * rowStep;
    if (most === 0) {
      throw new RangeError(
        `Cannot hold ${label}: ${rowStep} rows of ${dim} elements are more than the adapter binds at once (${gpu.maxTensorBytes} bytes)`,
      );
    }
    this.rows = rows;
    this.dim = dim;
    this.rowsPerChunk = most;
    const chunks: Tensor[] = [];
    for (let start = 0; start < rows; start += most) {
      const count = Math.min(most, rows - start);
      chunks.push(gpu.tensor([count, dim], "f32", `${label} from ${start}`));
    }
    this.chunks = chunks;
  }

  /** Where a row lies: its chunk's index and its row within the chunk. */
  locate(row: number): { chunk: number; row: number } {
    const chunk = Math.floor(row / this.rowsPerChunk);
    return { chunk, row: row - chunk * this.rowsPerChunk };
  }

  /** Disposes every chunk. */
  dispose(): void {
    for (const chunk of this.chunks) chunk.dispose();
  }

  /** Same as {@linkcode RowChunks.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
