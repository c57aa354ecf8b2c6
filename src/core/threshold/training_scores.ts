import type { Gpu, RowChunks } from "../../gpu/mod.ts";
import type { MendedBank } from "../bank/mended_bank.ts";
import {
  type Stage,
  stageProgress,
  type WorkOptions,
} from "../features/progress.ts";
import type { FeatureExtractor } from "../features/extractor.ts";
import type { RegionGrid } from "../features/region_grid.ts";
import { pairBytes } from "../rows/pair_distances.ts";
import { recordGather } from "../rows/row_sets.ts";
import { ImageScores, weightBytes } from "../score/image_score.ts";
import type { SearchSizes } from "../search/search.ts";
import { distanceScale, topCount } from "../score/distance_scale.ts";
import type { PatchMask } from "../features/foreground.ts";
import type { Settings } from "../settings/settings.ts";
import { type CarriedPatches, carryPatches } from "./carried_patches.ts";
import { mapMaxima, mapMaximaBytes } from "./map_maxima.ts";
import {
  type KnownPatches,
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

/** How patches lie in their images. */
export interface PatchLayout {
  /** Patches of an image, `[height, width]`. */
  readonly grid: readonly [number, number];
  /** Pixels of its anomaly map, `[height, width]`. */
  readonly size: readonly [number, number];
  /** Features of a patch, without padding. */
  readonly dim: number;
  /** Which of them there are, where that is not all. */
  readonly region?: RegionGrid | undefined;
}

/** The layout of what an extractor gives. */
export function layoutOf(
  { features: { height, width, dim }, input, region }: FeatureExtractor,
): PatchLayout {
  return { grid: [height, width], size: input, dim, region };
}

/** Training images to score. */
export interface ScoredPatches extends PatchLayout {
  /** Features of their patches, images in order. */
  readonly rows: RowChunks;
  /** Fold of each image. */
  readonly folds: ArrayLike<number>;
  /**
   * For each patch a bank row that it may find, the nearer the better, where one
   * is known; it saves searches and changes no score.
   */
  readonly near?: Uint32Array<ArrayBuffer> | undefined;
  /**
   * Scores of the patches against a smaller bank: those that are exact are not
   * searched but taken to be lower by as much as the others of their image turn
   * out to be, which are searched, all of them.
   */
  readonly known?: KnownPatches;
  /** Places of images whose worst patches are to be carried along. */
  readonly carry?: ReadonlySet<number>;
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
  /** The least of the patch scores that make its own, before it is weighed. */
  readonly least: number;
  /** The largest score of a patch that was not searched, where there are such. */
  readonly granted?: number;
  /** Its worst patches, where they are to be carried along. */
  readonly carried?: CarriedPatches;
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
  { rows: features, grid, size, dim, region, folds, near, ...scored }:
    ScoredPatches,
  { onProgress }: Pick<WorkOptions, "onProgress"> = {},
): Promise<readonly TrainingScore[]> {
  const patches = region?.places.length ?? grid[0] * grid[1];
  const { views = 1, tiles = 1, masks } = scored;
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
  const bounds = scored.known
    ? toSearch(scored.known)
    : near && await upperBounds(gpu, inputs, near);
  const told = (stage: Stage) => stageProgress(stage, { onProgress });
  using searches = await PatchSearches.create(gpu, inputs);
  const worst = await worstPatches(searches, {
    ...inputs,
    ...(bounds && { bounds }),
    ...told("threshold"),
  });
  const { known } = worst;
  const granted = scored.known &&
    takeForGranted(known, scored.known, patches);
  const found = worst.images.flatMap((image, place) =>
    image.nearestRow < 0 ? [] : [{ ...image, place, fold: folds[place]! }]
  );
  const scores = await weigh(gpu, features, { mended, settings }, found);
  const { maxima } = await mapMaxima(gpu, {
    ...inputs,
    places: found.map(({ place }) => place),
    ...{ known, searches, grid, size },
    map: settings.map,
    region,
    ...told("map threshold"),
  });
  const carry = found.map(({ place }) => place)
    .filter((place) => scored.carry?.has(place));
  const carried = await carryPatches(gpu, features, {
    ...{ places: carry, patches, dim, scores: known.scores },
    ...{ top: inputs.top, views, masks },
  });
  const sharesTop = tiles > 1 && settings.topShare !== null;
  return found.map(({ place, least, largest }, i) => {
    const own = carried.get(place);
    return {
      ...{ place, score: scores[i]!, maximum: maxima[i]!, least },
      ...(sharesTop && { largest }),
      ...(granted && { granted: granted[place]! }),
      ...(own && { carried: own }),
    };
  });
}

/** Bounds by which all patches that have no exact score are searched. */
function toSearch({ isExact }: KnownPatches): Float32Array {
  return Float32Array.from(isExact, (exact) => exact === 1 ? -1 : Infinity);
}

/**
 * Takes patches that were not searched to be lower than before by as much as the
 * others of their image.
 *
 * @param known What the search found; those patches are written into it.
 * @param before Scores before; exact ones were not searched.
 * @param patches Patches of an image.
 * @returns The largest of them of each image.
 */
function takeForGranted(
  known: KnownPatches,
  before: KnownPatches,
  patches: number,
): Float32Array {
  const images = before.scores.length / patches;
  const largest = new Float32Array(images);
  for (let image = 0; image < images; image++) {
    const places = Array.from(
      { length: patches },
      (_, i) => image * patches + i,
    );
    const sum = (scores: Float32Array): number =>
      places.reduce(
        (total, i) => before.isExact[i] === 1 ? total : total + scores[i]!,
        0,
      );
    const ratio = Math.min(1, sum(known.scores) / sum(before.scores));
    for (const i of places) {
      if (before.isExact[i] === 0) continue;
      known.scores[i] = before.scores[i]! * (ratio >= 0 ? ratio : 1);
      known.isExact[i] = 1;
      largest[image] = Math.max(largest[image]!, known.scores[i]!);
    }
  }
  return largest;
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
