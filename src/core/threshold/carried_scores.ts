import { type Gpu, RowChunks } from "../../gpu/mod.ts";
import { roundUp } from "../../wgsl/grid.ts";
import { writeRows } from "../bank/memory_bank.ts";
import type { WorkOptions } from "../features/progress.ts";
import type { StoredSample } from "../model/stored_model.ts";
import { GROUND } from "./carried_patches.ts";
import {
  heldOutScores,
  type PatchLayout,
  type ScoringBank,
  type TrainingScore,
} from "./training_scores.ts";

/** Images that are scored together. */
const TOGETHER = 8;

/** What carried patches say of their images. */
export interface CarriedScores {
  /** Scores of the images that have one; places are those of all images. */
  readonly scores: readonly TrainingScore[];
  /**
   * Images of which a patch that was not carried may be worse than one that
   * makes their score: it may be too low.
   */
  readonly uncertain: number;
}

/**
 * Scores images by the patches that were carried along, each against the bank
 * without its fold. The other patches count for maps alone, with their scores
 * against their own part's bank, lowered by as much as those of the carried ones
 * were; patches of the ground do not count.
 *
 * @param gpu The device.
 * @param bank The bank of all parts, as each fold sees it.
 * @param sample What the parts carried; images count as the folds do.
 * @param layout How patches lie in their images.
 * @param folds Fold of each image; views are not counted.
 * @param options Progress.
 */
export async function carriedScores(
  gpu: Gpu,
  bank: ScoringBank,
  sample: StoredSample,
  layout: PatchLayout,
  folds: ArrayLike<number>,
  { onProgress }: Pick<WorkOptions, "onProgress"> = {},
): Promise<CarriedScores> {
  const [height, width] = layout.grid;
  const patches = height * width;
  const count = sample.images.length;
  const each = count === 0 ? 0 : sample.patches.length / count;
  const { dim } = layout;
  const scores: TrainingScore[] = [];
  let uncertain = 0;
  for (let done = 0; done < count; done += TOGETHER) {
    const images = sample.images.subarray(done, done + TOGETHER);
    const features = new Float32Array(images.length * patches * dim);
    const isExact = new Uint8Array(images.length * patches).fill(1);
    const carried = sample.scores.slice(
      done * patches,
      (done + images.length) * patches,
    );
    const known = carried.map((score) => score === GROUND ? 0 : score);
    const masks = Array.from(images, (_, i) =>
      Uint8Array.from(
        carried.subarray(i * patches, (i + 1) * patches),
        (score) => score === GROUND ? 0 : 1,
      ));
    images.forEach((_, i) => {
      for (let j = 0; j < each; j++) {
        const at = (done + i) * each + j;
        const patch = i * patches + sample.patches[at]!;
        if (carried[patch] !== GROUND) isExact[patch] = 0;
        const row = sample.features.subarray(at * dim, (at + 1) * dim);
        features.set(row, patch * dim);
      }
    });
    using rows = RowChunks.allocate(
      gpu,
      images.length * patches,
      roundUp(dim, 4),
      "carried patches",
      patches,
    );
    writeRows(gpu, rows, 0, features, dim);
    const found = await heldOutScores(gpu, bank, {
      ...layout,
      rows,
      folds: Array.from(images, (image) => folds[image]!),
      known: { scores: known, isExact },
      masks,
    });
    for (const { place, ...score } of found) {
      if (score.granted! > score.least) uncertain++;
      scores.push({ place: images[place]!, ...score });
    }
    onProgress?.("threshold", Math.min(count, done + TOGETHER), count);
  }
  return { scores, uncertain };
}
