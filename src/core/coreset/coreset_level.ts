import { PackedRows } from "../rows/packed_rows.ts";
import { type CoresetAxes, CoresetBounds } from "./prune.ts";
import { Candidates } from "./candidates.ts";
import { Refresh } from "./refresh.ts";
import type { CoresetRows, CoresetState } from "./state.ts";
import { gatherRows } from "../rows/gather.ts";

/** Rows that are brought up to date together, and the programs that do it. */
export class Level implements Disposable {
  /** The rows. */
  readonly rows: CoresetRows;
  /** Those that are refined alone. */
  readonly candidates: Candidates;
  /** Brings all of them up to date. */
  readonly refresh: Refresh;
  readonly #owned: readonly Disposable[];

  private constructor(
    rows: CoresetRows,
    candidates: Candidates,
    refresh: Refresh,
    owned: readonly Disposable[],
  ) {
    this.rows = rows;
    this.candidates = candidates;
    this.refresh = refresh;
    this.#owned = [candidates, refresh, ...owned];
  }

  /**
   * All rows of a coreset.
   *
   * @param axes What is ruled out along, if that pays.
   * @param share Share of the rows that are refined alone.
   */
  static async all(
    state: CoresetState,
    axes: CoresetAxes | undefined,
    share: number | undefined,
  ): Promise<Level> {
    const bounds = axes && await CoresetBounds.create(state, state.rows, axes);
    return await Level.#compile(state, bounds, share, []);
  }

  /**
   * Some rows of a coreset.
   *
   * @param list The rows, ascending.
   * @param anchors Their anchors.
   */
  static async some(
    state: CoresetState,
    list: Uint32Array<ArrayBuffer>,
    anchors: Float32Array<ArrayBuffer>,
    axes: CoresetAxes | undefined,
    share: number | undefined,
  ): Promise<Level> {
    const { gpu, words, picks, centres, limit } = state;
    using copies = await gatherRows(gpu, state.rows, list, "rows left");
    const rows: CoresetRows = {
      ...{ gpu, rows: state.rows, words, picks, centres, limit },
      packed: await PackedRows.pack(gpu, copies),
      index: gpu.upload(list, [list.length], "row indices"),
      anchors: gpu.upload(anchors, [anchors.length], "anchors"),
      others: undefined,
    };
    const bounds = axes && await CoresetBounds.create(rows, copies, axes);
    const owned = [rows.packed, rows.index!, rows.anchors];
    return await Level.#compile(rows, bounds, share, owned);
  }

  static async #compile(
    rows: CoresetRows,
    bounds: CoresetBounds | undefined,
    share: number | undefined,
    owned: Disposable[],
  ): Promise<Level> {
    const refresh = await Refresh.create(rows, bounds);
    const candidates = new Candidates(rows, share);
    await candidates.compile();
    if (bounds) owned.push(bounds);
    return new Level(rows, candidates, refresh, owned);
  }

  /** Frees all but the rows of the coreset themselves. */
  dispose(): void {
    for (const owned of this.#owned) owned[Symbol.dispose]();
  }

  /** Same as {@linkcode Level.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
