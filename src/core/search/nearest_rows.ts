import type { Gpu, RowChunks } from "../../gpu/mod.ts";
import { type BankSearch, searchBytes, type SearchSizes } from "./search.ts";

/** Rows searched with one submit. */
const BATCH = 1024;

/** Options of {@linkcode nearestRows}. */
export interface NearestRowsOptions {
  /** Image of each row, whose bank rows it must not find. */
  readonly images?: Uint32Array<ArrayBuffer>;
  /** Called with the rows done and all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops the work between two batches. */
  readonly signal?: AbortSignal;
}

/** The nearest bank row of each row. */
export interface NearestRows {
  /** Squared distance to it; 3e38 where there is none. */
  readonly squared: Float32Array<ArrayBuffer>;
  /** Which one it is; 4,294,967,295 where there is none. */
  readonly rows: Uint32Array<ArrayBuffer>;
}

/** GPU bytes of {@linkcode nearestRows}, what its search holds left out. */
export function nearestRowsBytes(sizes: SearchSizes): number {
  return BATCH * ((sizes.dim + 1) * 4 + searchBytes(sizes).query);
}

/**
 * Finds the nearest bank row of every row of a row set.
 *
 * @param gpu The device.
 * @param rows The rows `[N, dim]`.
 * @param search The bank.
 */
export async function nearestRows(
  gpu: Gpu,
  rows: RowChunks,
  search: BankSearch,
  { images, onProgress, signal }: NearestRowsOptions = {},
): Promise<NearestRows> {
  const { dim } = rows;
  const height = Math.min(BATCH, rows.rows);
  using queries = gpu.tensor([height, dim], "f32", "searched rows");
  using owners = gpu.tensor([height], "u32", "images");
  gpu.clear(queries);
  gpu.clear(owners);
  using program = gpu.program("nearest rows");
  using found = search.record(program, queries, {
    rows: height,
    ...(images && { queryImages: owners }),
  });
  await program.compile();
  const result = {
    squared: new Float32Array(rows.rows),
    rows: new Uint32Array(rows.rows),
  };
  let done = 0;
  for (const chunk of rows.chunks) {
    const size = chunk.shape[0]!;
    for (let first = 0; first < size; first += height) {
      signal?.throwIfAborted();
      const count = Math.min(height, size - first);
      gpu.copy(chunk, queries, {
        fromOffset: first * dim,
        count: count * dim,
      });
      if (images) gpu.write(owners, images.subarray(done, done + count));
      program.run();
      const [squared, indices] = await gpu.readAll([
        found.squaredDistances,
        found.indices,
      ]);
      result.squared.set(squared.subarray(0, count), done);
      result.rows.set(indices.subarray(0, count), done);
      done += count;
      onProgress?.(done, rows.rows);
    }
  }
  return result;
}
