import { assert, assertEquals } from "@std/assert";
import {
  CoresetPruning,
  pruningAxes,
} from "../../../src/core/coreset/prune.ts";
import { Refresh } from "../../../src/core/coreset/refresh.ts";
import { CoresetState } from "../../../src/core/coreset/state.ts";
import type { Gpu, TensorData } from "../../../src/gpu/mod.ts";
import { gpuTest, randomFloats } from "../../testing.ts";
import { narrow, uploadRows, withoutSubgroups } from "./some_rows.ts";

const DIM = 100;

/** Rows that differ mostly along `directions` directions, in clusters. */
function spread(rows: number, directions: number): Float32Array<ArrayBuffer> {
  const axes = randomFloats(1, directions * DIM);
  const clusters = randomFloats(2, 30 * directions);
  const weights = randomFloats(3, rows * directions);
  return randomFloats(4, rows * DIM).map((noise, i) => {
    const [row, k] = [Math.floor(i / DIM), i % DIM];
    let sum = 5 + noise / 20;
    for (let a = 0; a < directions; a++) {
      const cluster = clusters[(row >> 5) % 30 * directions + a]!;
      const weight = cluster + weights[row * directions + a]! / 4;
      sum += weight * axes[a * DIM + k]!;
    }
    return sum;
  });
}

/** Refreshes all rows with picks, in two passes, and tells what is known. */
async function refreshed(
  gpu: Gpu,
  data: Float32Array,
  picks: Uint32Array<ArrayBuffer>,
  bounded: boolean,
  folds?: Uint32Array,
) {
  using rows = uploadRows(gpu, data, DIM);
  using state = await CoresetState.start(gpu, rows, {
    picks: picks.length,
    start: { kind: "included", point: picks[0]! },
    ...(folds && { folds }),
  });
  gpu.write(state.picks, picks);
  const axes = bounded ? await pruningAxes(gpu, rows) : undefined;
  assertEquals(axes !== undefined, bounded);
  using bounds = axes && await CoresetPruning.create(state, rows, axes);
  using refresh = await Refresh.create(state, bounds);
  await refresh.gatherCentres(picks.length);
  const half = picks.length >> 1;
  await refresh.run(0, half);
  await refresh.run(half, picks.length);
  const anchors = await gpu.readFloats(state.anchors);
  const nearest = state.followed &&
    await gpu.read(state.followed.nearest);
  const alive = await Promise.all(
    bounds?.alive.map((tensor) => gpu.read(tensor)) ?? [],
  );
  return { anchors, nearest, alive };
}

for (const count of [40, 1100]) {
  gpuTest(
    `CoresetPruning prunes none of ${count} centres that matters`,
    async (gpu) => {
      const rows = 2500;
      const data = spread(rows, 10);
      const picks = Uint32Array.from(
        { length: count },
        (_, i) => i * 911 % rows,
      );
      const folds = Uint32Array.from({ length: rows }, (_, i) => i % 4);
      const pieces = narrow(gpu, 1000 * DIM * 4);
      for (const device of [gpu, pieces, withoutSubgroups(gpu)]) {
        for (const given of [undefined, folds]) {
          const all = await refreshed(device, data, picks, false, given);
          const some = await refreshed(device, data, picks, true, given);
          assertEquals(some.anchors, all.anchors);
          assertEquals(some.nearest, all.nearest);
          const last = count - (count >> 1);
          const kept = shareOfBits(some.alive, last);
          assert(kept > 0 && kept < 0.7, `${kept} of the centres kept`);
        }
      }
    },
  );
}

gpuTest(
  "pruningAxes() finds none where little could be pruned",
  async (gpu) => {
    using rows = uploadRows(gpu, randomFloats(1, 1000 * DIM), DIM);
    assertEquals(await pruningAxes(gpu, rows), undefined);
    const huge = spread(1000, 10).map((x) => x * 1e19);
    using large = uploadRows(gpu, huge, DIM);
    assertEquals(await pruningAxes(gpu, large), undefined);
  },
);

/** Share of the bits that are set, `count` for each 32 words. */
function shareOfBits(tensors: readonly TensorData[], count: number): number {
  let set = 0;
  let all = 0;
  for (const words of tensors) {
    for (let first = 0; first < words.length; first += 32) {
      for (let c = 0; c < count; c++) {
        set += words[first + (c >> 5)]! >>> (c & 31) & 1;
      }
      all += count;
    }
  }
  return set / all;
}
