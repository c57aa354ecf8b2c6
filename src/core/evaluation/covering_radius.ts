import type { Gpu, RowChunks } from "../../gpu/mod.ts";
import type { BankSearch } from "../search/search.ts";
import {
  type BatchedSearchOptions,
  searchInBatches,
} from "../search/batched_search.ts";

/**
 * The largest distance of a training patch to its nearest bank row (paper,
 * Eq. 5), measured exactly in the space of the features.
 *
 * @param gpu The device.
 * @param features Features of all training patches.
 * @param search Finds neighbours in the bank.
 * @param options Progress and cancelling.
 */
export async function coveringRadius(
  gpu: Gpu,
  features: RowChunks,
  search: BankSearch,
  options: BatchedSearchOptions = {},
): Promise<number> {
  let largest = 0;
  const batches = searchInBatches(
    gpu,
    features,
    (program, queries, rows) => [search.record(program, queries, { rows })],
    options,
  );
  for await (const [squared] of batches) {
    for (const distance of squared!) largest = Math.max(largest, distance);
  }
  return Math.sqrt(largest);
}
