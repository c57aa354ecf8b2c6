import { type Gpu, RowChunks } from "../../gpu/mod.ts";
import { copyRowSpans } from "../rows/row_sets.ts";
import { BankSearch, foundByOnly } from "../search/search.ts";
import type { MemoryBank } from "./memory_bank.ts";

/** Features of rows that mend a bank, and which fold each is for. */
export interface MendingRows {
  /** The features `[M, D padded]`. */
  readonly rows: RowChunks;
  /** The fold whose images alone find each `[M]`. */
  readonly folds: ArrayLike<number>;
}

/**
 * A memory bank for scoring the images it was chosen from: an image finds all
 * rows but those of its own fold, and those that mend the bank for that fold.
 * For it, the bank is what would have been chosen without its fold.
 */
export class MendedBank implements Disposable {
  /** The bank's rows, then those that mend it. */
  readonly rows: RowChunks;
  /** Rows of the bank. */
  readonly bankRows: number;
  /** For each row which folds find it, as a {@linkcode BankSearch} takes it. */
  readonly images: Uint32Array<ArrayBuffer>;
  /** Finds neighbours; the image of a query is its fold. */
  readonly search: BankSearch;
  readonly #owned: DisposableStack;

  private constructor(
    rows: RowChunks,
    bankRows: number,
    images: Uint32Array<ArrayBuffer>,
    search: BankSearch,
    owned: DisposableStack,
  ) {
    this.rows = rows;
    this.bankRows = bankRows;
    this.images = images;
    this.search = search;
    this.#owned = owned;
  }

  /**
   * Copies both together where there are any rows to mend with.
   *
   * @param gpu The device.
   * @param bank The bank; it stays its owner's and must outlive this.
   * @param foldOf The fold of a training image.
   * @param mends Rows of other folds for each fold; they are freed.
   */
  static async create(
    gpu: Gpu,
    bank: MemoryBank,
    foldOf: (image: number) => number,
    mends?: MendingRows,
  ): Promise<MendedBank> {
    using owned = new DisposableStack();
    const bankRows = bank.rows.rows;
    const count = mends?.rows.rows ?? 0;
    const images = new Uint32Array(bankRows + count);
    bank.images.forEach((image, row) => images[row] = foldOf(image));
    let { rows } = bank;
    if (mends !== undefined && count > 0) {
      for (let i = 0; i < count; i++) {
        images[bankRows + i] = foundByOnly(mends.folds[i]!);
      }
      const { dim } = rows;
      rows = owned.use(
        RowChunks.allocate(gpu, bankRows + count, dim, "mended bank"),
      );
      copyRowSpans(gpu, bank.rows, rows, 0);
      copyRowSpans(gpu, mends.rows, rows, bankRows);
      mends.rows.dispose();
      // The search has a packed copy of another size.
      await gpu.finish();
      gpu.pool.trim();
    }
    const search = owned.use(await BankSearch.create(gpu, rows, { images }));
    return new MendedBank(rows, bankRows, images, search, owned.move());
  }

  /** Frees the copies. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}
