import type { Gpu } from "./gpu.ts";
import type { Tensor } from "./tensor.ts";

/** Rows of a chunk at most, so that grids stay within one dimension. */
const MAX_CHUNK_ROWS = 2 ** 18;

/**
 * A row set `[rows, dim]` of any size as a list of tensors, each within one
 * binding. All chunks but the last hold `rowsPerChunk` rows.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { Gpu, RowChunks } from "@patchcore/webgpu/gpu";
 *
 * using gpu = await Gpu.create();
 * using rows = RowChunks.allocate(gpu, 10, 4, "rows");
 * assertEquals(rows.rows, 10);
 * assertEquals(rows.chunks.length, 1);
 * ```
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

  /** Takes the chunks over; `allocate` makes new ones, `head` views of them. */
  private constructor(
    chunks: readonly Tensor[],
    rows: number,
    dim: number,
    rowsPerChunk: number,
  ) {
    this.chunks = chunks;
    this.rows = rows;
    this.dim = dim;
    this.rowsPerChunk = rowsPerChunk;
  }

  /**
   * Allocates row chunks with undefined contents.
   *
   * @param rowStep Rows of a chunk are a multiple of this (an image's patches).
   * @throws {RangeError} If `rowStep` rows are more than one binding.
   */
  static allocate(
    gpu: Gpu,
    rows: number,
    dim: number,
    label: string,
    rowStep = 1,
  ): RowChunks {
    const bound = Math.min(gpu.maxTensorBytes / (dim * 4), MAX_CHUNK_ROWS);
    const most = Math.floor(bound / rowStep) * rowStep;
    if (most === 0) {
      throw new RangeError(
        `Cannot hold ${label}: ${rowStep} rows of ${dim} elements are more than the adapter binds at once (${gpu.maxTensorBytes} bytes)`,
      );
    }
    const chunks: Tensor[] = [];
    try {
      for (let start = 0; start < rows; start += most) {
        const count = Math.min(most, rows - start);
        chunks.push(gpu.tensor([count, dim], "f32", `${label} from ${start}`));
      }
    } catch (error) {
      for (const chunk of chunks) chunk.dispose();
      throw error;
    }
    return new RowChunks(chunks, rows, dim, most);
  }

  /** Where a row lies: its chunk's index and its row within the chunk. */
  locate(row: number): { chunk: number; row: number } {
    const chunk = Math.floor(row / this.rowsPerChunk);
    return { chunk, row: row - chunk * this.rowsPerChunk };
  }

  /**
   * The first rows, as views of the same chunks; dispose the original.
   *
   * @throws {RangeError} If there are fewer.
   */
  head(rows: number): RowChunks {
    if (rows > this.rows) {
      throw new RangeError(`Cannot take ${rows} rows of ${this.rows}`);
    }
    const { dim, rowsPerChunk } = this;
    const used = this.chunks.slice(0, Math.ceil(rows / rowsPerChunk));
    const views = used.map((chunk, i) =>
      chunk.view([Math.min(rowsPerChunk, rows - i * rowsPerChunk), dim])
    );
    return new RowChunks(views, rows, dim, rowsPerChunk);
  }

  /** Disposes every chunk. */
  dispose(): void {
    for (const chunk of this.chunks) chunk.dispose();
  }

  /** Frees the chunks where the block of a `using` ends; those of a view stay. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
