import type { Gpu, RowChunks } from "../../gpu/mod.ts";
import { readRows } from "../bank/memory_bank.ts";
import type { PatchMask } from "../features/foreground.ts";
import { gatherRows } from "../rows/row_sets.ts";

/** Patches of an image that are carried along, the worst ones, at the least. */
const CARRIED = 64;

/** As many times those that make the image's score are carried. */
const TIMES_TOP = 2;

/** The score that is carried for a patch of the ground, which does not count. */
export const GROUND = -1;

/** Images whose patches are read back at a time. */
const TOGETHER = 4;

/** Patches of an image that are carried along. */
export interface CarriedPatches {
  /** Which ones, ascending. */
  readonly patches: Int32Array<ArrayBuffer>;
  /** Their features, row by row, without padding. */
  readonly features: Float32Array<ArrayBuffer>;
  /**
   * Scores of all patches of the image, or what these do not exceed;
   * {@linkcode GROUND} where masks leave a patch out.
   */
  readonly scores: Float32Array<ArrayBuffer>;
}

/**
 * Reads back the patches of images that decide their scores: those with the
 * largest scores.
 *
 * @param gpu The device.
 * @param features Patches of all images, in order.
 * @param images Places of the images, views counted, how many patches each has
 * and features a patch, how many make its score, scores of all patches, or what
 * these do not exceed, how many views an image has, and which patches of it count.
 * @returns By place.
 */
export async function carryPatches(
  gpu: Gpu,
  features: RowChunks,
  { places, patches, dim, top, views, masks, ...known }: {
    readonly places: readonly number[];
    readonly patches: number;
    readonly dim: number;
    readonly top: number;
    readonly views: number;
    readonly masks: readonly PatchMask[] | undefined;
    readonly scores: Float32Array<ArrayBuffer>;
  },
): Promise<ReadonlyMap<number, CarriedPatches>> {
  const carried = new Map<number, CarriedPatches>();
  const most = Math.max(CARRIED, TIMES_TOP * top);
  for (let done = 0; done < places.length; done += TOGETHER) {
    const batch = places.slice(done, done + TOGETHER);
    const scores = batch.map((place) => {
      const mask = masks?.[place / views];
      return known.scores.slice(place * patches, (place + 1) * patches)
        .map((score, patch) => mask?.[patch] === 0 ? GROUND : score);
    });
    const picked = scores.map((own) => worst(own, most));
    const rows = picked.flatMap((own, i) =>
      Array.from(own, (patch) => batch[i]! * patches + patch)
    );
    const list = Uint32Array.from(rows);
    using gathered = await gatherRows(gpu, features, list, "carried patches");
    const data = await readRows(gpu, gathered, dim);
    let start = 0;
    batch.forEach((place, i) => {
      const own = picked[i]!;
      const end = start + own.length * dim;
      carried.set(place, {
        patches: own,
        features: data.slice(start, end),
        scores: scores[i]!,
      });
      start = end;
    });
  }
  return carried;
}

/** Places of the largest scores, ascending; ties to the lowest place. */
function worst(scores: Float32Array, most: number): Int32Array<ArrayBuffer> {
  return Int32Array.from(scores.keys())
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, most)
    .sort();
}
