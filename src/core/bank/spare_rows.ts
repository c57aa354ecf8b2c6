import { type Gpu, RowChunks } from "../../gpu/mod.ts";
import type { Coreset } from "../coreset/options.ts";
import { copyRowSpans, gatherRows } from "../rows/row_sets.ts";
import { nearestRows } from "../search/nearest_rows.ts";
import { BankSearch } from "../search/search.ts";
import type { MendingRows } from "./mended_bank.ts";
import { MemoryBank } from "./memory_bank.ts";
import { holesOf, lostOf, mendedRadius, mostMends, thin } from "./mends.ts";

/** A choice among rows, most of which are gone afterwards. */
export interface SparingChoice {
  /** Features of the rows. */
  readonly rows: RowChunks;
  /** The same in the space that they were chosen in. */
  readonly points: RowChunks;
  /** Fold of each row. */
  readonly folds: Uint32Array<ArrayBuffer>;
  /** What was chosen, with the nearest picks by folds. */
  readonly coreset: Coreset;
}

/**
 * Rows that mend a bank which is chosen bucket by bucket: what would have been
 * kept of each bucket in place of a fold's rows. They are kept in the host's
 * memory, about as many as the rows chosen.
 */
export class SpareRows {
  readonly #gpu: Gpu;
  #features = new Float32Array();
  #points = new Float32Array();
  #folds = new Uint32Array();

  /** Starts without any. */
  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /** Keeps rows as they are, in place of those before. */
  async replace(
    rows: RowChunks,
    picks: Uint32Array,
    folds: ArrayLike<number>,
  ): Promise<void> {
    this.#folds = Uint32Array.from(folds);
    this.#features = await this.#read(rows, picks);
  }

  /**
   * Finds the rows that mend a choice for each fold: among the rows that it was
   * made of, and those that were spared before and are still far from what was
   * chosen.
   */
  async spare({ rows, points, folds, coreset }: SparingChoice): Promise<void> {
    const gpu = this.#gpu;
    const radius = mendedRadius(coreset);
    const lost = lostOf(folds, coreset);
    const holes = holesOf(folds, coreset);
    using before = this.#upload(this.#points, points.dim);
    const distances = before &&
      await this.#distances(before, points, folds, coreset);
    const old = Map.groupBy(
      this.#folds.keys().filter((i) => distances![i]! > radius),
      (i) => this.#folds[i]!,
    );
    const kept: { fold: number; row?: number; spare?: number }[] = [];
    for (const fold of new Set([...holes.keys(), ...old.keys()])) {
      const fresh = holes.get(fold) ?? { rows: [], distances: [] };
      const spares = old.get(fold) ?? [];
      const count = fresh.rows.length;
      using together = RowChunks.allocate(
        gpu,
        count + spares.length,
        points.dim,
        "rows without a pick",
      );
      await this.#copy(points, fresh.rows, together, 0);
      if (before) await this.#copy(before, spares, together, count);
      const far = spares.map((i) => distances![i]!);
      const picks = await thin(gpu, together, [...fresh.distances, ...far], {
        radius,
        most: mostMends(lost.get(fold) ?? 0),
      });
      for (const place of picks) {
        kept.push(
          place < count
            ? { fold, row: fresh.rows[place]! }
            : { fold, spare: spares[place - count]! },
        );
      }
    }
    const list = Uint32Array.from(kept.flatMap(({ row }) => row ?? []));
    const joined = async (
      from: RowChunks,
      known: Float32Array,
    ): Promise<Float32Array<ArrayBuffer>> => {
      const { dim } = from;
      const read = await this.#read(from, list);
      const all = new Float32Array(kept.length * dim);
      let next = 0;
      kept.forEach(({ spare }, i) => {
        const [source, at] = spare === undefined
          ? [read, next++]
          : [known, spare];
        all.set(source.subarray(at * dim, (at + 1) * dim), i * dim);
      });
      return all;
    };
    this.#features = await joined(rows, this.#features);
    this.#points = points === rows
      ? this.#features
      : await joined(points, this.#points);
    this.#folds = Uint32Array.from(kept, ({ fold }) => fold);
  }

  /** Uploads what was spared; nothing where that is nothing. */
  mends(dim: number): MendingRows | undefined {
    const rows = this.#upload(this.#features, dim);
    return rows && { rows, folds: this.#folds };
  }

  /** Distance of each spared row to the nearest row chosen that its fold finds. */
  async #distances(
    spares: RowChunks,
    points: RowChunks,
    folds: Uint32Array,
    { indices }: Coreset,
  ): Promise<Float32Array> {
    const gpu = this.#gpu;
    using centres = await gatherRows(gpu, points, indices, "picked rows");
    using search = await BankSearch.create(gpu, centres, {
      images: indices.map((row) => folds[row]!),
    });
    const { squared } = await nearestRows(gpu, spares, search, {
      images: this.#folds,
    });
    return squared.map(Math.sqrt);
  }

  async #copy(
    from: RowChunks,
    list: readonly number[],
    to: RowChunks,
    first: number,
  ): Promise<void> {
    if (list.length === 0) return;
    const picks = Uint32Array.from(list);
    using rows = await gatherRows(this.#gpu, from, picks, "rows to thin out");
    copyRowSpans(this.#gpu, rows, to, first);
  }

  async #read(
    rows: RowChunks,
    picks: Uint32Array,
  ): Promise<Float32Array<ArrayBuffer>> {
    if (picks.length === 0) return new Float32Array();
    const gpu = this.#gpu;
    const copies = await gatherRows(gpu, rows, picks, "spare rows");
    using bank = new MemoryBank(copies, rows.dim, new Int32Array());
    return await bank.download(gpu);
  }

  #upload(data: Float32Array, dim: number): RowChunks | undefined {
    return data.length === 0
      ? undefined
      : MemoryBank.upload(this.#gpu, data, dim, new Int32Array()).rows;
  }
}
