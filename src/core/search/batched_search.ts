import type { Gpu, Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import type { RecordedSearch } from "./search.ts";

/** Patches searched with one submit. */
const BATCH = 1024;

/** Options of {@linkcode searchInBatches}. */
export interface BatchedSearchOptions {
  /** Called with the patches searched and in all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops the work between two batches. */
  readonly signal?: AbortSignal;
}

/**
 * Searches all patches of a row set, a batch at a time.
 *
 * @param record Records the searches of a batch; they are disposed at the end.
 * @returns Squared distances to the nearest row, one array a search, batch
 * after batch.
 */
export async function* searchInBatches(
  gpu: Gpu,
  features: RowChunks,
  record: (
    program: Program,
    queries: Tensor,
    rows: number,
  ) => readonly RecordedSearch[],
  { onProgress, signal }: BatchedSearchOptions = {},
): AsyncGenerator<readonly Float32Array[]> {
  const { dim } = features;
  const rows = Math.min(BATCH, features.rows);
  using queries = gpu.tensor([rows, dim], "f32", "searched patches");
  gpu.clear(queries);
  using program = gpu.program("search of patches");
  const searches = record(program, queries, rows);
  try {
    await program.compile();
    let done = 0;
    for (const chunk of features.chunks) {
      const size = chunk.shape[0]!;
      for (let first = 0; first < size; first += rows) {
        signal?.throwIfAborted();
        const count = Math.min(rows, size - first);
        gpu.copy(chunk, queries, {
          fromOffset: first * dim,
          count: count * dim,
        });
        program.run();
        const found = await gpu.readAll(
          searches.map(({ squaredDistances }) => squaredDistances),
        );
        yield found.map((distances) =>
          (distances as Float32Array).subarray(0, count)
        );
        done += count;
        onProgress?.(done, features.rows);
      }
    }
  } finally {
    for (const search of searches) search.dispose();
  }
}
