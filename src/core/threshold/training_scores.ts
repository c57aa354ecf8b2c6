import type { Gpu, RowChunks } from "../../gpu/mod.ts";
import type { MendedBank } from "../bank/mended_bank.ts";
import {
  type Stage,
  stageProgress,
  type WorkOptions,
} from "../features/progress.ts";
import type { ExtractedPatches } from "../features/training_features.ts";
import { pairBytes } from "../rows/pair_distances.ts";
import { recordGather } from "../rows/row_sets.ts";
import { ImageScores, weightBytes } from "../score/image_score.ts";
import type { SearchSizes } from "../search/search.ts";
import { distanceScale, topCount } from "../score/distance_scale.ts";
import type { PatchMask } from "../features/foreground.ts";
import type { Settings } from "../settings/settings.ts";
import { mapMaxima, mapMaximaBytes } from "./map_maxima.ts";
import {
  PatchSearches,
  patchSearchesBytes,
  upperBounds,
  type WorstPatch,
  worstPatches,
} from "./worst_patches.ts";

/** What training images are scored with. */
export interface ScoringBank {
  /** The bank, as the images of each fold see it. */
  readonly mended: MendedBank;
  /** How scores are made. */
  readonly settings: Settings;
}

/** Training images to score. */
export interface ScoredPatches extends ExtractedPatches {
  /** Fold of each image. */
  readonly folds: ArrayLike<number>;
  /**
   * For each patch a bank row that it may find, the nearer the better, where one
   * is known; it saves searches and changes no score.
   */
  readonly near?: Uint32Array<ArrayBuffer> | undefined;
  /**
   * How many views of each image follow one another, itself first; it alone is
   * scored. 1 by default.
   */
  readonly views?: number;
  /**
   * Tiles of each image, which follow one another and are scored one by one; 1 by
   * default.
   */
  readonly tiles?: number;
  /** Of each image, which patches are of the part. */
  readonly masks?: readonly PatchMask[] | undefined;
}

/**
 * How anomalous a training image, or a tile of it, would be had it not been
 * trained on.
 */
export interface TrainingScore {
  /** Place of the image among those scored, views and tiles counted. */
  readonly place: number;
  /** Its image score. */
  readonly score: number;
  /** Its largest patch scores, where those of all tiles make the image score. */
  readonly largest?: readonly number[];
  /** The largest pixel of its map. */
  readonly maximum: number;
}

/**
 * Scores training images and their maps, each against the bank that would have
 * been chosen without its fold.
 *
 * @returns Those that have a score: for the others the bank has no row of
 * another fold.
 */
export async function heldOutScores(
  gpu: Gpu,
  { mended, settings }: ScoringBank,
  { rows: features, extractor, folds, near, ...images }: ScoredPatches,
  { onProgress }: Pick<WorkOptions, "onProgress"> = {},
): Promise<readonly TrainingScore[]> {
  const { patches, height, width } = extractor.features;
  const { views = 1, tiles = 1, masks } = images;
  const inputs = {
    features,
    patches,
    folds,
    bank: mended.rows,
    search: mended.search,
    neighbours: settings.neighbours,
    ...distanceScale(settings.distance),
    top: topCount(tiles * patches, settings.topShare),
    ...{ views, masks },
  };
  const bounds = near && await upperBounds(gpu, inputs, near);
  const told = (stage: Stage) => stageProgress(stage, { onProgress });
  using searches = await PatchSearches.create(gpu, inputs);
  const worst = await worstPatches(searches, {
    ...inputs,
    ...(bounds && { bounds }),
    ...told("threshold"),
  });
  const { known } = worst;
  const scored = worst.images.flatMap((image, place) =>
    image.nearestRow < 0 ? [] : [{ ...image, place, fold: folds[place]! }]
  );
  const scores = await weigh(gpu, features, { mended, settings }, scored);
  const { maxima } = await mapMaxima(gpu, {
    ...inputs,
    places: scored.map(({ place }) => place),
    ...{ known, searches },
    grid: [height, width],
    size: extractor.input,
    map: settings.map,
    ...told("map threshold"),
  });
  const sharesTop = tiles > 1 && settings.topShare !== null;
  return scored.map(({ place, largest }, i) => ({
    place,
    score: scores[i]!,
    ...(sharesTop && { largest }),
    maximum: maxima[i]!,
  }));
}

/** Weighs scores as those of new images are (paper, Eq. 7). */
async function weigh(
  gpu: Gpu,
  features: RowChunks,
  { mended, settings }: ScoringBank,
  images: readonly (WorstPatch & { readonly fold: number })[],
): Promise<Float32Array> {
  const count = images.length;
  const unweighed = Float32Array.from(images, ({ score }) => score);
  if (count === 0 || settings.reweight < 2) return unweighed;
  const upload = (pick: (image: typeof images[number], i: number) => number) =>
    gpu.upload(Uint32Array.from(images, pick), [count]);
  using patches = upload(({ patch }) => patch);
  using worstPatches = upload((_, i) => i);
  using nearestRows = upload(({ nearestRow }) => nearestRow);
  using queryImages = upload(({ fold }) => fold);
  using scores = gpu.upload(unweighed, [count]);
  using queries = gpu.tensor([count, features.dim], "f32", "worst patches");
  using program = gpu.program("weigh training scores");
  recordGather(program, features, patches, count, queries);
  using _memory = new ImageScores(gpu, mended.rows, mended.search, settings)
    .recordWeights(program, {
      queries,
      scores,
      worstPatches,
      nearestRows,
      images: count,
      queryImages,
    });
  (await program.compile()).run();
  return await gpu.readFloats(scores);
}

/**
 * GPU bytes of {@linkcode heldOutScores}, what its search holds left out.
 *
 * @param sizes The search.
 * @param settings How scores are made.
 * @param images How many are scored at once.
 * @param grid Patches of an image, and pixels of its map.
 */
export function heldOutBytes(
  sizes: SearchSizes,
  { neighbours, reweight }: Settings,
  images: number,
  grid: { readonly patches: number; readonly pixels: number },
): number {
  const search = { ...sizes, k: neighbours };
  return pairBytes(images * grid.patches) + patchSearchesBytes(search) +
    mapMaximaBytes(images, grid) +
    images * (sizes.dim + 5) * 4 + weightBytes(sizes, images, reweight);
}
