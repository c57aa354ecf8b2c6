import type { Gpu, RowChunks } from "../../gpu/mod.ts";
import { type BankSearch, searchBytes, type SearchSizes } from "./search.ts";

/** Rows searched with one submit. */
const BATCH = 1024;

/** What rows must not find, and who is told of the progress. */
export interface BatchedSearchOptions {
  /** Image of each row, whose bank rows it must not find. */
  readonly images?: Uint32Array<ArrayBuffer>;
  /** Called with the rows done and all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops the work between two batches. */
  readonly signal?: AbortSignal;
}

/** What a search finds for some rows. */
interface NearestRows {
  /** Squared distance to the nearest bank row; 3e38 where there is none. */
  readonly squared: Float32Array<ArrayBuffer>;
  /** Which one it is; 4,294,967,295 where there is none. */
  readonly rows: Uint32Array<ArrayBuffer>;
}

/** GPU bytes of {@linkcode nearestRows}, what its search holds left out. */
export function nearestRowsBytes(sizes: SearchSizes): number {
  return BATCH * ((sizes.dim + 1) * 4 + searchBytes(sizes).query);
}

/**
 * Searches all rows of a row set, a batch at a time.
 *
 * @param rows The rows `[N, dim]`.
 * @param searches Banks to search: each finds a row's nearest.
 * @param options Which bank rows do not count, progress, cancelling.
 * @returns What each search finds for the next rows, batch after batch.
 */
export async function* searchInBatches(
  gpu: Gpu,
  rows: RowChunks,
  searches: readonly Pick<BankSearch, "record">[],
  { images, onProgress, signal }: BatchedSearchOptions = {},
): AsyncGenerator<readonly NearestRows[]> {
  using owned = new DisposableStack();
  const { dim } = rows;
  const height = Math.min(BATCH, rows.rows);
  const queries = owned.use(gpu.tensor([height, dim], "f32", "searched rows"));
  gpu.clear(queries);
  const owners = images && owned.use(gpu.tensor([height], "u32", "images"));
  if (owners) gpu.clear(owners);
  const program = owned.use(gpu.program("nearest rows"));
  const tensors = searches.flatMap((search) => {
    const { squaredDistances, indices } = owned.use(
      search.record(program, queries, {
        rows: height,
        ...(owners && { queryImages: owners }),
      }),
    );
    return [squaredDistances, indices];
  });
  await program.compile();
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
      if (owners) gpu.write(owners, images!.subarray(done, done + count));
      program.run();
      const found = await gpu.readAll(tensors);
      yield searches.map((_, i) => ({
        squared: (found[2 * i] as NearestRows["squared"]).subarray(0, count),
        rows: (found[2 * i + 1] as NearestRows["rows"]).subarray(0, count),
      }));
      done += count;
      onProgress?.(done, rows.rows);
    }
  }
}

/**
 * The nearest bank row of every row of a row set.
 *
 * @param rows The rows `[N, dim]`.
 * @param search The bank.
 * @param options Which bank rows do not count, progress, cancelling.
 */
export async function nearestRows(
  gpu: Gpu,
  rows: RowChunks,
  search: BankSearch,
  options: BatchedSearchOptions = {},
): Promise<NearestRows> {
  const nearest = {
    squared: new Float32Array(rows.rows),
    rows: new Uint32Array(rows.rows),
  };
  let done = 0;
  for await (const [found] of searchInBatches(gpu, rows, [search], options)) {
    nearest.squared.set(found!.squared, done);
    nearest.rows.set(found!.rows, done);
    done += found!.rows.length;
  }
  return nearest;
}
