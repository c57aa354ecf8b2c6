import type { Gpu } from "../../gpu/mod.ts";
import { MemoryBank, searchOf } from "../bank/memory_bank.ts";
import type { TrainingFeatures } from "../features/training_features.ts";
import { choice, Mt19937 } from "../settings/random.ts";
import type { BatchedSearchOptions } from "../search/batched_search.ts";
import { coveringRadius } from "./covering_radius.ts";

/** What a random bank is compared with. */
export interface RandomRadiusOptions extends BatchedSearchOptions {
  /** Rows of the bank. */
  readonly rows: number;
  /** Seed of the draw. */
  readonly seed: number;
}

/**
 * The covering radius of a bank drawn at random, without replacement: what a
 * coreset of as many rows has to beat (paper, §3.2).
 *
 * @param gpu The device.
 * @param features Features of all training patches.
 * @param options Size and seed of the draw.
 */
export async function randomRadius(
  gpu: Gpu,
  { rows, extractor }: TrainingFeatures,
  options: RandomRadiusOptions,
): Promise<number> {
  const { dim, height, width } = extractor.features;
  const random = new Mt19937(options.seed);
  const picks = choice(random, rows.rows, options.rows).sort();
  using bank = await MemoryBank.gather(gpu, rows, dim, picks, {
    height,
    width,
  });
  using search = await searchOf(gpu, bank);
  return await coveringRadius(gpu, rows, search, options);
}
