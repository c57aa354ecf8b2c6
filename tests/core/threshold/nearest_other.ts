import type { Gpu, RowChunks } from "../../../src/gpu/mod.ts";
import { findable } from "../../../src/core/threshold/calibrate.ts";
import type { CoresetOptions } from "../../../src/core/coreset/options.ts";
import { Refresh } from "../../../src/core/coreset/refresh.ts";
import { CoresetState } from "../../../src/core/coreset/state.ts";

/**
 * For each row, the nearest of some picks that is of another image: what
 * {@linkcode greedyCoreset} tells of its own picks.
 *
 * @param gpu The device.
 * @param rows The rows.
 * @param picks Rows among them.
 * @param images Image of each row.
 * @returns Places in `picks` `[N]`; 4,294,967,295 where there is none.
 */
export async function nearestPickOfOthers(
  gpu: Gpu,
  rows: RowChunks,
  picks: Uint32Array<ArrayBuffer>,
  images: ArrayLike<number>,
): Promise<Uint32Array<ArrayBuffer>> {
  const options: CoresetOptions = {
    picks: picks.length,
    start: { kind: "included", point: picks[0] },
    folds: images,
  };
  using state = await CoresetState.start(gpu, rows, options);
  gpu.write(state.picks, picks);
  using refresh = await Refresh.create(state);
  await refresh.gatherCentres(picks.length);
  await refresh.run(0, picks.length);
  const { nearest } = await state.result();
  const near = { rows: nearest!.picks, others: nearest!.others };
  return findable(near, picks.map((row) => images[row]!), images, 1);
}
