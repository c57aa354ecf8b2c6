import type { Gpu, RowChunks } from "../../gpu/mod.ts";
import type { MemoryBank } from "../bank/memory_bank.ts";
import { type Stage, stageProgress } from "../features/progress.ts";
import type { OnProgress } from "../features/progress.ts";
import type { ExtractedPatches } from "../features/training_features.ts";
import { pairBytes } from "../rows/pair_distances.ts";
import { recordGather } from "../rows/row_sets.ts";
import { ImageScores, weightBytes } from "../score/image_score.ts";
import type { BankSearch, SearchSizes } from "../search/search.ts";
import type { Settings } from "../settings/settings.ts";
import {
  leaveOneImageOut,
  leaveOneOutBytes,
  type LeftOutImage,
  upperBounds,
} from "./leave_one_out.ts";
import { mapMaxima, mapMaximaBytes, neededFor } from "./map_maxima.ts";

/** What training images are scored with. */
export interface ScoringBank {
  /** The memory bank. */
  readonly bank: MemoryBank;
  /** Finds neighbours in it; knows the rows' images. */
  readonly search: BankSearch;
  /** How scores are made. */
  readonly settings: Settings;
}

/** Training images to score. */
export interface ScoredPatches extends ExtractedPatches {
  /** Number of each image, as the bank's rows count them; 0, 1, … by default. */
  readonly images?: ArrayLike<number>;
  /**
   * For each patch a bank row of another image, the nearer the better, where
   * that is known; it saves searches and changes no score.
   */
  readonly nearestOther?: Uint32Array<ArrayBuffer> | undefined;
}

/** Which of the maps' largest pixels are wanted, and who is told of progress. */
interface ScoringOptions {
  /** How many; by default as many as the quantile of the settings needs. */
  readonly wanted?: number;
  /** Only those above this; 0 by default. */
  readonly floor?: number;
  /** Called with the images that are done and all. */
  readonly onProgress?: OnProgress;
}

/** The score of a training image, as if it had not been trained on. */
export interface TrainingScore {
  /** Number of the image. */
  readonly image: number;
  /** Its image score. */
  readonly score: number;
}

/** How anomalous training images would be had they not been trained on. */
export interface TrainingScores {
  /** Scores of the images that have one: the bank has a row of another image. */
  readonly scores: readonly TrainingScore[];
  /** The largest pixels of their maps, the small ones left out. */
  readonly maxima: readonly number[];
}

/**
 * Scores training images and their maps, each without the bank rows that come
 * from it.
 */
export async function leftOutScores(
  gpu: Gpu,
  { bank, search, settings }: ScoringBank,
  { rows: features, extractor, images: numbers, nearestOther }: ScoredPatches,
  { wanted, floor, onProgress }: ScoringOptions = {},
): Promise<TrainingScores> {
  const { patches, height, width } = extractor.features;
  const inputs = {
    features,
    patches,
    bank: bank.rows,
    search,
    neighbours: settings.neighbours,
    squared: settings.distance === "squared",
    ...(numbers && { images: numbers }),
  };
  const bounds = nearestOther && await upperBounds(gpu, inputs, nearestOther);
  const bounded = { ...inputs, ...(bounds && { bounds }) };
  const told = (stage: Stage) => stageProgress(stage, { onProgress });
  const { images } = await leaveOneImageOut(gpu, {
    ...bounded,
    ...told("threshold"),
  });
  const known = images.flatMap((image, place) =>
    image.nearestRow < 0
      ? []
      : [{ ...image, place, image: numbers?.[place] ?? place }]
  );
  const scores = await weigh(gpu, features, { bank, search, settings }, known);
  const { maxima } = await mapMaxima(gpu, {
    ...bounded,
    known: known.map(({ place }) => place),
    grid: [height, width],
    size: extractor.input,
    map: settings.map,
    wanted: wanted ?? neededFor(settings.threshold.mapQuantile, known.length),
    ...(floor !== undefined && { floor }),
    ...told("map threshold"),
  });
  return {
    scores: known.map(({ image }, i) => ({ image, score: scores[i] })),
    maxima,
  };
}

/** Weighs scores as those of new images are (paper, Eq. 7). */
async function weigh(
  gpu: Gpu,
  features: RowChunks,
  { bank, search, settings }: ScoringBank,
  images: readonly (LeftOutImage & { readonly image: number })[],
): Promise<Float32Array> {
  const count = images.length;
  const unweighed = Float32Array.from(images, ({ score }) => score);
  if (count === 0 || settings.reweight < 2) return unweighed;
  const upload = (pick: (image: typeof images[number], i: number) => number) =>
    gpu.upload(Uint32Array.from(images, pick), [count]);
  using patches = upload(({ patch }) => patch);
  using worstPatches = upload((_, i) => i);
  using nearestRows = upload(({ nearestRow }) => nearestRow);
  using queryImages = upload(({ image }) => image);
  using scores = gpu.upload(unweighed, [count]);
  using queries = gpu.tensor([count, features.dim], "f32", "worst patches");
  using program = gpu.program("weigh training scores");
  recordGather(program, features, patches, count, queries);
  using _memory = new ImageScores(gpu, bank.rows, search, settings)
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
 * GPU bytes of {@linkcode leftOutScores}, what its search holds left out.
 *
 * @param sizes The search.
 * @param settings How scores are made.
 * @param images How many are scored at once.
 * @param grid Patches of an image, and pixels of its map.
 */
export function leftOutBytes(
  sizes: SearchSizes,
  { neighbours, reweight }: Settings,
  images: number,
  grid: { readonly patches: number; readonly pixels: number },
): number {
  const search = { ...sizes, k: neighbours };
  return pairBytes(images * grid.patches) + leaveOneOutBytes(search) +
    mapMaximaBytes(search, images, grid) +
    images * (sizes.dim + 5) * 4 + weightBytes(sizes, images, reweight);
}
