import type { Gpu, Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import { NO_ROW } from "../../wgsl/search_refine.ts";
import { recordGather } from "../rows/row_sets.ts";
import {
  type BankSearch,
  type RecordedSearch,
  searchBytes,
  type SearchSizes,
} from "../search/search.ts";
import { pairDistances } from "../rows/pair_distances.ts";

/** Patches that are searched at a time, at most. */
const BATCH = 512;

/** Patches that are searched at a time when few are left. */
const SMALL_BATCH = 64;

/** Patches of an image that are searched in the first round. */
const FIRST_SHARE = 2;

/** Bounds and scores are sums in different orders. */
const MORE_THAN_ROUNDING = 1.00001;

/** Training images, and the bank that each is scored against without its rows. */
export interface LeaveOneImageOutInputs {
  /** Features of all training patches, images in order. */
  readonly features: RowChunks;
  /** Patches of an image. */
  readonly patches: number;
  /** Number of each image, as the bank's rows count them; 0, 1, … by default. */
  readonly images?: ArrayLike<number>;
  /** The bank's rows. */
  readonly bank: RowChunks;
  /** Finds neighbours in the bank; it must know the images of the rows. */
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
  /** Called with the images that are done and all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** The worst patch of an image when its own bank rows do not count. */
export interface LeftOutImage {
  /**
   * The largest patch score (paper, Eq. 6); NaN when the bank has no row of
   * another image, so that the image says nothing about the threshold.
   */
  readonly score: number;
  /** Row of `features` that has it, the first of equals. */
  readonly patch: number;
  /** The nearest bank row of another image (m*), −1 when there is none. */
  readonly nearestRow: number;
}

/** Worst patches, and how much work it was to find them. */
export interface LeftOutImages {
  /** One for each training image, in order. */
  readonly images: readonly LeftOutImage[];
  /** Patches that were searched in the whole bank. */
  readonly searched: number;
}

interface Candidate {
  score: number;
  patch: number;
  nearestRow: number;
  /** Patches by decreasing upper bound. */
  readonly order: Uint32Array;
  /** How many of them were searched. */
  next: number;
}

/**
 * Scores every training image against the bank without that image's own rows:
 * what the threshold is made from.
 *
 * Exact, yet few patches are searched: those with the largest upper bounds
 * first, until no bound is above the largest score found.
 *
 * @throws {RangeError} If the rows are not whole images.
 */
export async function leaveOneImageOut(
  gpu: Gpu,
  inputs: LeaveOneImageOutInputs,
): Promise<LeftOutImages> {
  const { features, patches, onProgress } = inputs;
  const count = features.rows / patches;
  if (!Number.isInteger(count)) {
    throw new RangeError(
      `Cannot leave out one image at a time: ${features.rows} patches are not images of ${patches}`,
    );
  }
  const { bounds = new Float32Array(features.rows).fill(Infinity) } = inputs;
  const images = Array.from(
    { length: count },
    (_, image): Candidate => ({
      score: -Infinity,
      patch: image * patches,
      nearestRow: -1,
      order: decreasing(bounds, image * patches, patches),
      next: 0,
    }),
  );
  using large = await PatchSearch.create(gpu, inputs, BATCH);
  using small = await PatchSearch.create(gpu, inputs, SMALL_BATCH);
  let searched = 0;
  for (let most = FIRST_SHARE;; most *= 2) {
    const open = images.filter(({ order, next, score }) =>
      next < order.length && bounds[order[next]] >= score
    );
    onProgress?.(count - open.length, count);
    if (open.length === 0) break;
    const room = Math.max(1, Math.floor(BATCH / open.length));
    const share = Math.min(room, most);
    const work = open.slice(0, BATCH).flatMap((image) => {
      const first = image.next;
      image.next = Math.min(first + share, image.order.length);
      return Array.from(image.order.subarray(first, image.next));
    });
    const batch = work.length > SMALL_BATCH ? large : small;
    const found = await batch.run(work);
    searched += work.length;
    work.forEach((patch, i) =>
      keepWorse(images[Math.floor(patch / patches)], {
        score: found.scores[i],
        patch,
        nearestRow: found.nearest[i],
      })
    );
  }
  return {
    images: images.map(({ score, patch, nearestRow }) => {
      const none = nearestRow < 0;
      return { score: none ? NaN : score, patch, nearestRow };
    }),
    searched,
  };
}

/**
 * What the scores of patches do not exceed: the distance to a bank row of another
 * image near each of them.
 *
 * @param inputs Patches, bank and how scores are made.
 * @param nearestOther For each patch, any bank row of another image, the nearer
 * the better; 4,294,967,295 for none.
 * @returns Nothing where more neighbours than one make a score.
 */
export async function upperBounds(
  gpu: Gpu,
  inputs: LeaveOneImageOutInputs,
  nearestOther: Uint32Array<ArrayBuffer>,
): Promise<Float32Array | undefined> {
  const { features, bank, neighbours = 1 } = inputs;
  if (neighbours > 1) return undefined;
  const squared = await pairDistances(gpu, features, bank, nearestOther);
  return scores(squared, inputs).map((bound) => bound * MORE_THAN_ROUNDING);
}

/** GPU bytes of {@linkcode leaveOneImageOut}, what its search holds left out. */
export function leaveOneOutBytes(sizes: SearchSizes): number {
  return patchSearchBytes(BATCH + SMALL_BATCH, sizes);
}

/** GPU bytes of {@linkcode PatchSearch}es of so many patches in all. */
export function patchSearchBytes(patches: number, sizes: SearchSizes): number {
  return patches * ((2 + sizes.dim) * 4 + searchBytes(sizes).query);
}

/** Searches listed patches in the bank, without their own images' rows. */
export class PatchSearch implements Disposable {
  readonly #gpu: Gpu;
  readonly #inputs: LeaveOneImageOutInputs;
  readonly #program: Program;
  readonly #list: Tensor;
  readonly #images: Tensor;
  readonly #queries: Tensor;
  readonly #found: RecordedSearch;
  readonly #k: number;

  private constructor(gpu: Gpu, inputs: LeaveOneImageOutInputs, rows: number) {
    const { features, search, neighbours = 1, bank } = inputs;
    this.#gpu = gpu;
    this.#inputs = inputs;
    this.#k = Math.min(neighbours, bank.rows);
    this.#list = gpu.upload(new Uint32Array(rows), [rows], "patches");
    this.#images = gpu.upload(new Uint32Array(rows), [rows], "images");
    this.#queries = gpu.tensor([rows, features.dim], "f32", "patch features");
    this.#program = gpu.program("leave one image out");
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
    inputs: LeaveOneImageOutInputs,
    rows: number,
  ): Promise<PatchSearch> {
    const search = new PatchSearch(gpu, inputs, rows);
    await search.#program.compile();
    return search;
  }

  /**
   * Scores of listed patches, and the nearest bank row of another image of
   * each: −1, with the score NaN, where there is none.
   */
  async run(
    work: readonly number[],
  ): Promise<{ scores: Float32Array; nearest: Int32Array }> {
    const { patches, images } = this.#inputs;
    const list = Uint32Array.from(work);
    this.#gpu.write(this.#list, list);
    this.#gpu.write(
      this.#images,
      list.map((patch) => {
        const image = Math.floor(patch / patches);
        return images === undefined ? image : images[image];
      }),
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
  { squared: keep }: LeaveOneImageOutInputs,
): Float32Array {
  return keep ? squared : squared.map(Math.sqrt);
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
