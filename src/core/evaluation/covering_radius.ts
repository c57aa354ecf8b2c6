import type { Gpu, RowChunks } from "../../gpu/mod.ts";
import { MemoryBank } from "../bank/memory_bank.ts";
import type { TrainingFeatures } from "../features/training_features.ts";
import {
  type BatchedSearchOptions,
  searchInBatches,
} from "../search/nearest_rows.ts";
import { choice, Mt19937 } from "../settings/random.ts";
import { BankSearch } from "../search/search.ts";

/**
 * The largest distance of a training patch to its nearest bank row (paper,
 * Eq. 5), measured exactly in the space of the features.
 *
 * @param features Features of all training patches.
 * @param search Finds neighbours in the bank.
 */
export async function coveringRadius(
  gpu: Gpu,
  features: RowChunks,
  search: BankSearch,
  options: BatchedSearchOptions = {},
): Promise<number> {
  let largest = 0;
  const batches = searchInBatches(gpu, features, [search], options);
  for await (const [found] of batches) {
    for (const squared of found!.squared) largest = Math.max(largest, squared);
  }
  return Math.sqrt(largest);
}

/** What a random bank is compared with. */
interface RandomRadiusOptions extends BatchedSearchOptions {
  /** Rows of the bank. */
  readonly rows: number;
  /** Seed of the draw. */
  readonly seed: number;
}

/**
 * The covering radius of a bank drawn at random, without replacement: what a
 * coreset of as many rows has to beat (paper, §3.2).
 *
 * @param features Features of all training patches.
 * @param options Size and seed of the draw.
 */
export async function randomRadius(
  gpu: Gpu,
  { rows, extractor }: TrainingFeatures,
  options: RandomRadiusOptions,
): Promise<number> {
  const { features } = extractor;
  const random = new Mt19937(options.seed);
  const picks = choice(random, rows.rows, options.rows).sort();
  using bank = await MemoryBank.gather(
    gpu,
    rows,
    features.dim,
    picks,
    features,
  );
  using search = await BankSearch.create(gpu, bank.rows);
  return await coveringRadius(gpu, rows, search, options);
}
