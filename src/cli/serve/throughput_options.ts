import { UsageError } from "../exit.ts";
import type { Options, Values } from "../options.ts";
import { batchSize } from "./inspection_queue.ts";

/** Options of commands that keep models loaded and images coming. */
export const THROUGHPUT_OPTIONS = {
  batch: {
    kind: "integer",
    min: 1,
    max: 256,
    unit: "images",
    default: 4,
    help: "images the GPU works on at once, at most: a power of two",
  },
  decoders: {
    kind: "integer",
    min: 1,
    max: 64,
    unit: "threads",
    fallback: "one less than there are processors, at most 4",
    help: "threads that decode images",
  },
} as const satisfies Options;

/**
 * Understands these options.
 *
 * @returns Images of the largest batch, and threads that decode.
 * @throws {UsageError} If the batch is no power of two.
 */
export function throughputOf(
  { batch, decoders }: Values<typeof THROUGHPUT_OPTIONS>,
): { readonly batch: number; readonly decoders: number } {
  const fitting = batchSize(batch, batch);
  if (fitting !== batch) {
    throw new UsageError(
      `Cannot use --batch ${batch}: expected a power of two, such as ${fitting}`,
    );
  }
  const spare = navigator.hardwareConcurrency - 1;
  return { batch, decoders: decoders ?? Math.min(4, Math.max(1, spare)) };
}
