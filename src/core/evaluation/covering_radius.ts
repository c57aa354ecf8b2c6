import type { Gpu, RowChunks } from "../../gpu/mod.ts";
import type { BankSearch } from "../bank/search.ts";

/** Patches searched with one submit. */
const BATCH = 1024;

/** Options of {@linkcode coveringRadius}. */
export interface CoveringRadiusOptions {
  /** Called with the patches measured and in all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops the work between two batches. */
  readonly signal?: AbortSignal;
}

/**
 * The largest distance of a training patch to its nearest bank row (paper,
 * Eq. 5), measured exactly in the space of the features.
 *
 * @param gpu The device.
 * @param features Features of all training patches.
 * @param search Finds neighbours in the bank.
 */
export async function coveringRadius(
  gpu: Gpu,
  features: RowChunks,
  search: BankSearch,
  { onProgress, signal }: CoveringRadiusOptions = {},
): Promise<number> {
  const { dim } = features;
  const rows = Math.min(BATCH, features.rows);
  using queries = gpu.tensor([rows, dim], "f32", "measured patches");
  gpu.clear(queries);
  using program = gpu.program("covering radius");
  using found = search.record(program, queries, { rows });
  await program.compile();
  let largest = 0;
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
      const squared = await gpu.readFloats(found.squaredDistances);
      for (let i = 0; i < count; i++) largest = Math.max(largest, squared[i]!);
      onProgress?.(done += count, features.rows);
    }
  }
  return Math.sqrt(largest);
}
