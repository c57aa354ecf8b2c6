/**
 * How near the coreset's picking comes to the memory's bandwidth: every pick of
 * the plain method reads all rows once.
 *
 * @module
 */
import { greedyCoreset } from "../src/core/coreset/greedy_coreset.ts";
import { type Gpu, RowChunks } from "../src/gpu/mod.ts";
import { randomFloats } from "../tests/testing.ts";
import { PeakProbe } from "./peak.ts";

/** Dimensions of a projected feature. */
const DIM = 128;

/** What picking does. */
export interface CoresetRate {
  readonly rows: number;
  readonly picks: number;
  readonly plain_ms: number;
  readonly lazy_ms: number;
  /** GB/s of the rows that the plain method reads. */
  readonly gigabytes: number;
  /** GB/s of a copy, bytes read and written together. */
  readonly copy_gigabytes: number;
  readonly share_of_copy: number;
}

/** Picks from rows of noise, by both methods. */
export async function coresetRate(
  gpu: Gpu,
  rows: number,
  picks: number,
): Promise<CoresetRate> {
  using features = RowChunks.allocate(gpu, rows, DIM, "features");
  for (const [i, chunk] of features.chunks.entries()) {
    gpu.write(chunk, randomFloats(i + 1, chunk.size));
  }
  const timed = async (method: "plain" | "lazy"): Promise<number> => {
    const pick = (count: number) =>
      greedyCoreset(gpu, features, {
        picks: count,
        method,
        start: { kind: "included", point: 0 },
      });
    await pick(2); // compiles
    const start = performance.now();
    await pick(picks);
    return performance.now() - start;
  };
  const plain = await timed("plain");
  const lazy = await timed("lazy");
  using probe = await PeakProbe.create(gpu);
  const copies = [await probe.measure(), await probe.measure()];
  const copy = Math.max(...copies.map(({ gigabytes }) => gigabytes));
  const gigabytes = rows * DIM * 4 * picks / plain / 1e6;
  return {
    ...{ rows, picks, plain_ms: plain, lazy_ms: lazy, gigabytes },
    copy_gigabytes: copy,
    share_of_copy: gigabytes / copy,
  };
}
