import type { Gpu, RowChunks } from "../../gpu/mod.ts";
import { copyRowSpans, gatherRows } from "../rows/row_sets.ts";
import {
  MemoryBank,
  originsOf,
  patchesOf,
  type PatchGrid,
  writeRows,
} from "./memory_bank.ts";

/** Rows that were chosen to stand for a row set. */
export interface Choice {
  /** The rows chosen, in the order that a bank gets them. */
  readonly picks: Uint32Array<ArrayBuffer>;
  /** Who stands for whom, where the choice knows. */
  readonly cover?: {
    /** For each row the place in `picks` of a row that stands for it. */
    readonly nearest: Uint32Array;
    /** The squared distance to it, for every row; of no meaning for picks. */
    readonly squared: Float32Array;
  };
}

/**
 * Chooses at most `count` of the rows, which are only read. The first `kept`
 * ones were chosen before; `images` tells each row's image.
 */
export type Choose = (
  rows: RowChunks,
  count: number,
  kept: number,
  images: Uint32Array<ArrayBuffer>,
) => Promise<Choice>;

/** Sizes of a {@linkcode BankBuilder}. */
interface BankBuilderOptions {
  /** The most rows at one time. */
  readonly capacity: number;
  /** Features of a row, without padding. */
  readonly dim: number;
  /** Patches of an image. */
  readonly grid: PatchGrid;
  /** Number of the first image that is added. */
  readonly firstImage?: number;
}

/** Rows that were chosen before, as a model file has them. */
interface KnownRows {
  /** Row-major, without padding. */
  readonly data: Float32Array;
  /** Image, row and column of each. */
  readonly origin: Int32Array;
  /** No patch is farther from the row that stands for it; NaN: not known. */
  readonly radius: number;
}

/**
 * Makes a memory bank of any number of patches in bounded memory, by merging
 * and reducing: patches are added until the space is full, then a few of them
 * are chosen to stand for all, beside the rows that were chosen before, and more
 * are added. The bank is chosen from what is there in the end.
 *
 * It keeps account of how far a patch can be from the row that stands for it:
 * the distances of the choices it went through add up (triangle inequality). As
 * a rule there are two of them, its bucket's and the last one.
 */
export class BankBuilder implements Disposable {
  /** Space for all rows; those from {@linkcode BankBuilder.count} on are free. */
  readonly rows: RowChunks;
  readonly #gpu: Gpu;
  readonly #options: BankBuilderOptions;
  #count = 0;
  #images: number;
  #reductions = 0;
  #keptOrigin = new Int32Array(0);
  #reach = new Float32Array(0);
  #firstImage: number;

  /**
   * @param gpu The device.
   * @param rows Space for `capacity` rows; the builder takes ownership.
   * @param options Sizes.
   */
  constructor(gpu: Gpu, rows: RowChunks, options: BankBuilderOptions) {
    this.#gpu = gpu;
    this.rows = rows;
    this.#options = options;
    this.#images = this.#firstImage = options.firstImage ?? 0;
  }

  /** Rows there are now. */
  get count(): number {
    return this.#count;
  }

  /** Rows that can still be added. */
  get room(): number {
    return this.#options.capacity - this.#count;
  }

  /** How often rows were chosen to stand for others. */
  get reductions(): number {
    return this.#reductions;
  }

  /** Counts the patches of images that were written from `count` on. */
  add(images: number): void {
    this.#count += images * patchesOf(this.#options.grid);
    this.#images += images;
  }

  /**
   * Adds rows that were chosen before, ahead of all images.
   *
   * @throws {RangeError} If images were added already.
   */
  preload({ data, origin, radius }: KnownRows): void {
    if (this.#count > this.#reach.length) {
      throw new RangeError(
        "Cannot add chosen rows behind images: add them first",
      );
    }
    const { dim } = this.#options;
    writeRows(this.#gpu, this.rows, this.#count, data, dim);
    const rows = data.length / dim;
    this.#count += rows;
    const known = this.#reach.length;
    const origins = new Int32Array(3 * (known + rows));
    origins.set(this.#keptOrigin);
    origins.set(origin, 3 * known);
    const reach = new Float32Array(known + rows).fill(radius, known);
    reach.set(this.#reach);
    [this.#keptOrigin, this.#reach] = [origins, reach];
  }

  /** Rows that were chosen before; the others are patches. */
  get kept(): number {
    return this.#reach.length;
  }

  /**
   * Lets at most `count` rows stand for all; the others are forgotten. Rows
   * chosen before stay as long as they are fewer.
   */
  async reduce(count: number, choose: Choose): Promise<void> {
    const kept = this.kept < count ? this.kept : 0;
    const all = this.rows.head(this.#count);
    const { picks, cover } = await choose(all, count, kept, this.#imagesOf());
    let same = 0;
    while (same < picks.length && picks[same] === same) same++;
    const moved = picks.subarray(same);
    using chosen = await gatherRows(this.#gpu, all, moved, "chosen patches");
    copyRowSpans(this.#gpu, chosen, this.rows, same);
    this.#account(picks, cover);
  }

  /**
   * The memory bank: at most `count` rows that stand for all. Frees the
   * builder's space.
   *
   * @returns The bank, and how far a patch is from it at most, in the space
   * that the choices measured in; NaN where they did not.
   */
  async finish(
    count: number,
    choose: Choose,
  ): Promise<{ bank: MemoryBank; radius: number }> {
    const all = this.rows.head(this.#count);
    const { picks, cover } = await choose(all, count, 0, this.#imagesOf());
    const rows = await gatherRows(this.#gpu, all, picks, "memory bank");
    this.#account(picks, cover);
    this[Symbol.dispose]();
    let radius = 0;
    for (const reach of this.#reach) radius = Math.max(radius, reach);
    const { dim } = this.#options;
    return { bank: new MemoryBank(rows, dim, this.#keptOrigin), radius };
  }

  /** Writes down where the rows chosen come from and how far they reach. */
  #account(picks: Uint32Array, cover: Choice["cover"]): void {
    this.#keptOrigin = this.#originOf(picks);
    this.#reach = this.#reachOf(picks, cover);
    this.#count = picks.length;
    this.#firstImage = this.#images;
    this.#reductions++;
  }

  /** Image of each row. */
  #imagesOf(): Uint32Array<ArrayBuffer> {
    const patches = patchesOf(this.#options.grid);
    const known = this.kept;
    return Uint32Array.from(
      { length: this.#count },
      (_, row) =>
        row < known
          ? this.#keptOrigin[3 * row]!
          : this.#firstImage + Math.floor((row - known) / patches),
    );
  }

  /** Image, row and column of each pick. */
  #originOf(picks: Uint32Array): Int32Array<ArrayBuffer> {
    const known = this.#reach.length;
    const fresh = picks.map((pick) => Math.max(0, pick - known));
    const origin = originsOf(fresh, this.#options.grid);
    picks.forEach((pick, i) => {
      if (pick >= known) origin[3 * i] += this.#firstImage;
      else origin.set(this.#keptOrigin.subarray(3 * pick, 3 * pick + 3), 3 * i);
    });
    return origin;
  }

  /** How far the patches are that each pick stands for from now on. */
  #reachOf(
    picks: Uint32Array,
    cover: Choice["cover"],
  ): Float32Array<ArrayBuffer> {
    const before = (row: number): number => this.#reach[row] ?? 0;
    const reach = Float32Array.from(picks, before);
    if (picks.length === this.#count) return reach;
    if (cover === undefined) return reach.fill(NaN);
    const { nearest, squared } = cover;
    const picked = new Uint8Array(this.#count);
    for (const pick of picks) picked[pick] = 1;
    for (let row = 0; row < this.#count; row++) {
      if (picked[row] === 1) continue;
      const far = Math.sqrt(squared[row]) + before(row);
      reach[nearest[row]] = Math.max(reach[nearest[row]], far);
    }
    return reach;
  }

  /** Frees the space. */
  [Symbol.dispose](): void {
    this.rows.dispose();
  }
}
