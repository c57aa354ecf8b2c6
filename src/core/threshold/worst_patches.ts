import type { Gpu, Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import type { PatchMask } from "../features/foreground.ts";
import { NO_ROW } from "../../wgsl/search_refine.ts";
import { recordGather } from "../rows/row_sets.ts";
import {
  type BankSearch,
  type RecordedSearch,
  searchBytes,
  type SearchSizes,
} from "../search/search.ts";
import { pairDistances } from "../rows/pair_distances.ts";
import { meanOfLargest } from "../score/distance_scale.ts";

/** Patches that are searched at a time when many are left. */
const BATCH = 512;

/** Patches that are searched at a time when few are left. */
const SMALL_BATCH = 64;

/** Patches of an image that are searched in the first round. */
const FIRST_SHARE = 2;

/** Bounds and scores are sums in different orders. */
const MORE_THAN_ROUNDING = 1.00001;

/** What {@linkcode worstPatches} works on. */
export interface WorstPatchInputs {
  /** Features of all training patches, images in order. */
  readonly features: RowChunks;
  /** Patches of an image. */
  readonly patches: number;
  /** Fold of each image, which does not find the bank rows of that fold. */
  readonly folds: ArrayLike<number>;
  /** The bank's rows. */
  readonly bank: RowChunks;
  /** Finds neighbours in the bank; it must know the folds of the rows. */
  readonly search: BankSearch;
  /**
   * What the score of each patch does not exceed, see {@linkcode upperBounds}.
   * Decides how many patches are searched, not the result; without it all are.
   */
  readonly bounds?: Float32Array;
  /** Neighbours whose mean distance is a patch's score; 1 by default. */
  readonly neighbours?: number;
  /** Whether scores are means of squared distances. */
  readonly squared?: boolean;
  /** What they are multiplied with, 1 by default. */
  readonly scale?: number;
  /** An image's largest patch scores whose mean is its score; 1 by default. */
  readonly top?: number;
  /**
   * How many views of each image follow one another; all but the first of them,
   * the image itself, are passed by. 1 by default.
   */
  readonly views?: number;
  /** Of each image, which patches count; the scores of the others are 0. */
  readonly masks?: readonly PatchMask[] | undefined;
  /** Called with the images that are done and all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** The worst patch of an image when bank rows of its fold do not count. */
export interface WorstPatch {
  /**
   * The largest patch score (paper, Eq. 6), or the mean of the largest; NaN when
   * the bank has no row of another fold, so that the image says nothing about
   * the threshold, and for views.
   */
  readonly score: number;
  /** The least of the patch scores that make it. */
  readonly least: number;
  /** Row of `features` that has it, the first of equals. */
  readonly patch: number;
  /** The nearest bank row of another fold (m*), −1 when there is none. */
  readonly nearestRow: number;
  /** Its largest patch scores, as many as make a score, the largest first. */
  readonly largest: readonly number[];
}

/** What is known of the scores of all patches. */
export interface KnownPatches {
  /** The score of each, or what it does not exceed. */
  readonly scores: Float32Array<ArrayBuffer>;
  /** 1 where that is the score itself. */
  readonly isExact: Uint8Array<ArrayBuffer>;
}

/** What {@linkcode worstPatches} finds. */
export interface WorstPatches {
  /** One for each training image, in order. */
  readonly images: readonly WorstPatch[];
  /** What it came to know of the patches. */
  readonly known: KnownPatches;
  /** Patches that were searched in the whole bank. */
  readonly searched: number;
}

interface Candidate {
  score: number;
  patch: number;
  nearestRow: number;
  /** The largest scores so far, the largest first. */
  readonly largest: number[];
  /** Patches that count by decreasing upper bound. */
  readonly order: Uint32Array;
  /** How many of them were searched. */
  next: number;
}

/**
 * Scores every training image against the bank without the rows of its fold:
 * what the threshold is made from.
 *
 * Exact, yet few patches are searched: those with the largest upper bounds
 * first, until no bound is above the largest score found.
 *
 * @param searches Searches patches of these inputs.
 * @param inputs Patches and bank.
 * @throws {RangeError} If the rows are not whole images.
 */
export async function worstPatches(
  searches: PatchSearches,
  inputs: WorstPatchInputs,
): Promise<WorstPatches> {
  const { features, patches, onProgress, masks, top = 1, views = 1 } = inputs;
  const count = features.rows / patches;
  if (!Number.isInteger(count)) {
    throw new RangeError(
      `Cannot score images by their patches: ${features.rows} patches are not images of ${patches}`,
    );
  }
  const { bounds = new Float32Array(features.rows).fill(Infinity) } = inputs;
  const known: KnownPatches = {
    scores: Float32Array.from(bounds),
    isExact: new Uint8Array(features.rows),
  };
  const isMasked = (patch: number): boolean => {
    const image = Math.floor(patch / patches);
    return masks?.[image / views]?.[patch - image * patches] === 0;
  };
  const images = Array.from({ length: count }, (_, image): Candidate => {
    const first = image * patches;
    const isView = image % views !== 0;
    const order = isView
      ? new Uint32Array()
      : decreasing(bounds, first, patches);
    const counted = masks ? order.filter((patch) => !isMasked(patch)) : order;
    if (!isView && masks) {
      for (let patch = first; patch < first + patches; patch++) {
        if (!isMasked(patch)) continue;
        known.scores[patch] = 0;
        known.isExact[patch] = 1;
      }
    }
    return {
      ...{ score: -Infinity, patch: first, nearestRow: -1, largest: [] },
      // Where none counts, the nearest row of one is wanted all the same.
      order: counted.length > 0 ? counted : order.subarray(0, 1),
      next: 0,
    };
  });
  const leastOf = (largest: readonly number[]): number =>
    largest[top - 1] ?? -Infinity;
  let searched = 0;
  for (let most = FIRST_SHARE;; most *= 2) {
    const open = images.filter(({ order, next, largest }) =>
      next < order.length && bounds[order[next]!]! >= leastOf(largest)
    );
    onProgress?.(count - open.length, count);
    if (open.length === 0) break;
    const room = Math.max(1, Math.floor(BATCH / open.length));
    const share = Math.min(room, most);
    const work = open.slice(0, BATCH).flatMap((image) => {
      const { next: first, order } = image;
      const least = leastOf(image.largest);
      let end = Math.min(first + share, order.length);
      // Those below the scores found cannot be worse, nor those behind them.
      while (bounds[order[end - 1]!]! < least) end--;
      image.next = end;
      return Array.from(order.subarray(first, end));
    });
    const found = await searches.run(work);
    searched += work.length;
    work.forEach((patch, i) => {
      const score = isMasked(patch) ? 0 : found.scores[i]!;
      known.scores[patch] = score;
      known.isExact[patch] = 1;
      const image = images[Math.floor(patch / patches)]!;
      keepWorse(image, { score, patch, nearestRow: found.nearest[i]! });
      keepLargest(image.largest, score, top);
    });
  }
  return {
    images: images.map(({ score, largest, patch, nearestRow }) => {
      const found = { patch, nearestRow, largest };
      if (nearestRow < 0) return { score: NaN, least: NaN, ...found };
      // What masks leave out counts with 0.
      return {
        score: top === 1 ? score : meanOfLargest([largest], top),
        least: largest[top - 1] ?? 0,
        ...found,
      };
    }),
    known,
    searched,
  };
}

/**
 * What the scores of patches do not exceed: the distance to a bank row of another
 * fold near each of them.
 *
 * @param gpu The device.
 * @param inputs Patches, bank and how scores are made.
 * @param near For each patch, any bank row that it may find, the nearer the
 * better; 4,294,967,295 for none.
 * @returns Nothing where more neighbours than one make a score.
 */
export async function upperBounds(
  gpu: Gpu,
  inputs: WorstPatchInputs,
  near: Uint32Array<ArrayBuffer>,
): Promise<Float32Array | undefined> {
  const { features, bank, neighbours = 1 } = inputs;
  if (neighbours > 1) return undefined;
  const squared = await pairDistances(gpu, features, bank, near);
  return scores(squared, inputs).map((bound) => bound * MORE_THAN_ROUNDING);
}

/** GPU bytes of {@linkcode PatchSearches}, what their search holds left out. */
export function patchSearchesBytes(sizes: SearchSizes): number {
  const patches = BATCH + SMALL_BATCH;
  return patches * ((2 + sizes.dim) * 4 + searchBytes(sizes).query);
}

/** What a search finds of patches. */
interface FoundPatches {
  /** Their scores; NaN where there is no bank row of another fold. */
  readonly scores: Float32Array;
  /** The nearest bank row of another fold of each; −1 where there is none. */
  readonly nearest: Int32Array;
}

/**
 * Searches any number of listed patches in the bank, without the rows of their
 * folds: many at a time, and few without the work for many.
 */
export class PatchSearches implements Disposable {
  readonly #large: PatchSearch;
  readonly #small: PatchSearch;

  private constructor(large: PatchSearch, small: PatchSearch) {
    this.#large = large;
    this.#small = small;
  }

  /** Prepares searches. */
  static async create(
    gpu: Gpu,
    inputs: WorstPatchInputs,
  ): Promise<PatchSearches> {
    using failed = new DisposableStack();
    const large = failed.use(await PatchSearch.create(gpu, inputs, BATCH));
    const small = await PatchSearch.create(gpu, inputs, SMALL_BATCH);
    failed.move();
    return new PatchSearches(large, small);
  }

  /** Scores of listed patches. */
  async run(work: readonly number[]): Promise<FoundPatches> {
    const scores = new Float32Array(work.length);
    const nearest = new Int32Array(work.length);
    for (let done = 0; done < work.length;) {
      const isMany = work.length - done > BATCH / 2;
      const count = isMany ? BATCH : SMALL_BATCH;
      const batch = work.slice(done, done + count);
      const found = await (isMany ? this.#large : this.#small).run(batch);
      scores.set(found.scores, done);
      nearest.set(found.nearest, done);
      done += batch.length;
    }
    return { scores, nearest };
  }

  /** Frees the working memory. */
  [Symbol.dispose](): void {
    this.#large[Symbol.dispose]();
    this.#small[Symbol.dispose]();
  }
}

/** Searches listed patches in the bank, without the rows of their folds. */
class PatchSearch implements Disposable {
  readonly #gpu: Gpu;
  readonly #inputs: WorstPatchInputs;
  readonly #program: Program;
  readonly #list: Tensor;
  readonly #images: Tensor;
  readonly #queries: Tensor;
  readonly #found: RecordedSearch;
  readonly #k: number;

  private constructor(gpu: Gpu, inputs: WorstPatchInputs, rows: number) {
    const { features, search, neighbours = 1, bank } = inputs;
    this.#gpu = gpu;
    this.#inputs = inputs;
    this.#k = Math.min(neighbours, bank.rows);
    this.#list = gpu.upload(new Uint32Array(rows), [rows], "patches");
    this.#images = gpu.upload(new Uint32Array(rows), [rows], "folds");
    this.#queries = gpu.tensor([rows, features.dim], "f32", "patch features");
    this.#program = gpu.program("worst patches");
    recordGather(this.#program, features, this.#list, rows, this.#queries);
    this.#found = search.record(this.#program, this.#queries, {
      rows,
      k: this.#k,
      queryImages: this.#images,
    });
  }

  /** Prepares searches of at most `rows` patches at a time. */
  static async create(
    gpu: Gpu,
    inputs: WorstPatchInputs,
    rows: number,
  ): Promise<PatchSearch> {
    const search = new PatchSearch(gpu, inputs, rows);
    await search.#program.compile();
    return search;
  }

  /** Scores of listed patches. */
  async run(work: readonly number[]): Promise<FoundPatches> {
    const { patches, folds } = this.#inputs;
    const list = Uint32Array.from(work);
    this.#gpu.write(this.#list, list);
    this.#gpu.write(
      this.#images,
      list.map((patch) => folds[Math.floor(patch / patches)]!),
    );
    this.#program.run();
    const [squared, indices] = await this.#gpu.readAll([
      this.#found.squaredDistances,
      this.#found.indices,
    ]);
    const k = this.#k;
    const distances = scores(squared as Float32Array, this.#inputs);
    const result = {
      scores: new Float32Array(work.length),
      nearest: new Int32Array(work.length),
    };
    for (let i = 0; i < work.length; i++) {
      let sum = 0;
      let rows = 0;
      for (; rows < k && indices[i * k + rows] !== NO_ROW; rows++) {
        sum += distances[i * k + rows];
      }
      result.scores[i] = sum / rows;
      result.nearest[i] = rows === 0 ? -1 : indices[i * k];
    }
    return result;
  }

  /** Frees the working memory. */
  [Symbol.dispose](): void {
    this.#program.dispose();
    this.#found.dispose();
    for (const t of [this.#list, this.#images, this.#queries]) t.dispose();
  }
}

/** Keeps a score if it is among the largest. */
function keepLargest(largest: number[], score: number, most: number): void {
  if (!Number.isFinite(score)) return;
  let place = largest.length;
  while (place > 0 && largest[place - 1]! < score) place--;
  largest.splice(place, 0, score);
  if (largest.length > most) largest.pop();
}

function keepWorse(
  image: Candidate,
  found: Pick<Candidate, "score" | "patch" | "nearestRow">,
): void {
  if (
    found.score > image.score ||
    found.score === image.score && found.patch < image.patch
  ) Object.assign(image, found);
}

/** Distances as scores are made of them. */
function scores(
  squared: Float32Array,
  { squared: keep, scale = 1 }: WorstPatchInputs,
): Float32Array {
  const distances = keep ? squared : squared.map(Math.sqrt);
  return scale === 1 ? distances : distances.map((x) => x * scale);
}

/** The rows `first` and following by decreasing bound, ties by index. */
function decreasing(
  bounds: Float32Array,
  first: number,
  count: number,
): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => first + i)
    .sort((a, b) => bounds[b] - bounds[a] || a - b);
}
