import { CORESET_STATE } from "../../wgsl/coreset_step.ts";
import type { CoresetOptions } from "./options.ts";
import {
  CoresetPruning,
  type PruningAxes,
  pruningAxes,
  pruningPays,
} from "./prune.ts";
import { type CoresetRows, type CoresetState, readProgress } from "./state.ts";
import { PackedRows } from "../rows/packed_rows.ts";
import { Candidates } from "./candidates.ts";
import { Refresh } from "./refresh.ts";
import { gatherRows } from "../rows/row_sets.ts";

/** So few rows are brought up to date so fast that none need be left out. */
const FEW_ROWS = 8192;

/**
 * Rows are left out when no more than this share of them may be picked: while the
 * rest is packed it takes no more memory than all rows did.
 */
const NARROWING = 0.55;

/**
 * Makes the same picks as the plain method with few passes over all rows.
 *
 * An anchor that was not brought up to date is an upper bound. So the rows with
 * the largest anchors are refined alone, and picked from as long as their
 * maximum is above every anchor outside; only then the others are brought up to
 * date with the new picks.
 *
 * Rows are left out of that when their anchor is below what the last pick's will
 * probably be: they have their turn only if it comes to less.
 */
export async function pickLazily(
  state: CoresetState,
  options: CoresetOptions,
): Promise<number> {
  const { gpu, rows, limit } = state;
  const axes = !options.lean && pruningPays(rows.rows, rows.dim, limit)
    ? await pruningAxes(gpu, rows)
    : undefined;
  using greedy = new LazyGreedy(state, axes, options);
  return await greedy.pick();
}

class LazyGreedy implements Disposable {
  readonly #state: CoresetState;
  readonly #axes: PruningAxes | undefined;
  readonly #options: CoresetOptions;
  readonly #forecast: RadiusForecast;
  #active: ActiveSet | undefined;
  /** The rows of the active set; nothing when they are all. */
  #list: Uint32Array<ArrayBuffer> | undefined;
  /** What is known of the anchors of all rows while some are left out. */
  #known = new Float32Array(0);
  /** What the anchors of those left out are below. */
  #floor = 0;
  /** Picks that all rows are up to date with while some are left out. */
  #since = 0;

  constructor(
    state: CoresetState,
    axes: PruningAxes | undefined,
    options: CoresetOptions,
  ) {
    this.#state = state;
    this.#axes = axes;
    this.#options = options;
    this.#forecast = new RadiusForecast(state.limit);
  }

  async pick(): Promise<number> {
    const state = this.#state;
    const { start, onProgress } = this.#options;
    let active = await this.#open();
    if (start.kind === "kept") {
      await active.refresh.gatherCentres(start.rows);
      await active.refresh.run(0, start.rows);
    }
    const knowsFirst = state.followed === undefined || start.kind === "kept";
    let fresh = knowsFirst ? (await readProgress(state)).count : 0;
    for (let passes = 1;;) {
      const { limit } = state;
      const count = await active.candidates.pick((n) => onProgress?.(n, limit));
      if (count > fresh) {
        await active.refresh.run(fresh, count);
        passes++;
      }
      const stuck = count === fresh;
      fresh = count;
      if (count < limit && !stuck) {
        active = await this.#narrow(active, count);
        continue;
      }
      if (this.#list === undefined) return passes;
      const farthest = await this.#merge(active);
      if (count === limit && farthest >= this.#floor) return passes;
      active = await this.#widen(count);
      passes++;
      if (count === limit) return passes;
    }
  }

  /** Makes the active set of the rows that may be picked. */
  async #open(anchors?: Float32Array<ArrayBuffer>): Promise<ActiveSet> {
    this.#active?.[Symbol.dispose]();
    this.#active = undefined;
    // What is free now has other sizes than what follows.
    this.#state.gpu.pool.trim();
    const { candidates } = this.#options;
    const list = this.#list;
    this.#active = list === undefined
      ? await ActiveSet.all(this.#state, this.#axes, candidates)
      : await ActiveSet.some(
        this.#state,
        list,
        anchors!,
        this.#axes,
        candidates,
      );
    return this.#active;
  }

  /** Leaves rows out that will probably not be picked any more. */
  async #narrow(active: ActiveSet, count: number): Promise<ActiveSet> {
    const { gpu, followed } = this.#state;
    const { rows } = active.rows.packed;
    const isWhole = followed !== undefined || this.#options.enough;
    if (isWhole || rows < FEW_ROWS) return active;
    const anchors = await gpu.readFloats(active.rows.anchors);
    const floor = Math.fround(
      this.#forecast.add(count, largest(anchors)),
    );
    if (!(floor > 0)) return active;
    const kept = notBelow(anchors, floor);
    if (kept.length > NARROWING * rows) return active;
    if (this.#list === undefined) {
      this.#known = anchors;
      this.#since = count;
      this.#state.unpack();
    } else this.#keep(anchors);
    const list = this.#list;
    this.#list = kept.map((i) => list?.[i] ?? i);
    this.#setFloor(floor);
    return await this.#open(Float32Array.from(kept, (i) => anchors[i]!));
  }

  /** Brings all rows up to date, those that were left out as well. */
  async #widen(count: number): Promise<ActiveSet> {
    this.#active?.[Symbol.dispose]();
    this.#active = undefined;
    this.#list = undefined;
    this.#setFloor(0);
    this.#forecast.missed();
    await this.#state.pack();
    const active = await this.#open();
    await active.refresh.run(this.#since, count);
    return active;
  }

  /** Puts what is known together; returns the largest anchor of the active set. */
  async #merge(active: ActiveSet): Promise<number> {
    const { gpu, anchors } = this.#state;
    const now = await gpu.readFloats(active.rows.anchors);
    this.#keep(now);
    gpu.write(anchors, this.#known);
    return largest(now);
  }

  #keep(anchors: Float32Array): void {
    this.#list!.forEach((row, i) => this.#known[row] = anchors[i]!);
  }

  #setFloor(floor: number): void {
    this.#floor = floor;
    const { gpu, words } = this.#state;
    const bits = new Uint32Array(Float32Array.of(floor).buffer);
    gpu.write(words, bits, CORESET_STATE.floor);
  }

  [Symbol.dispose](): void {
    this.#active?.[Symbol.dispose]();
  }
}

/** Where values are not below another, in order. */
function notBelow(
  values: Float32Array,
  least: number,
): Uint32Array<ArrayBuffer> {
  const places = new Uint32Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i]! >= least) places[count++] = i;
  }
  return places.slice(0, count);
}

function largest(values: Float32Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i]! > most) most = values[i]!;
  }
  return most;
}

/** The active set: rows that are brought up to date together, and how. */
class ActiveSet implements Disposable {
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
   * @param axes What is pruned along, if that pays.
   * @param share Share of the rows that are refined alone.
   */
  static async all(
    state: CoresetState,
    axes: PruningAxes | undefined,
    share: number | undefined,
  ): Promise<ActiveSet> {
    const pruning = axes &&
      await CoresetPruning.create(state, state.rows, axes);
    return await ActiveSet.#compile(state, pruning, share, []);
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
    axes: PruningAxes | undefined,
    share: number | undefined,
  ): Promise<ActiveSet> {
    const { gpu, words, picks, centres, limit } = state;
    using copies = await gatherRows(gpu, state.rows, list, "rows left");
    const rows: CoresetRows = {
      ...{ gpu, rows: state.rows, words, picks, centres, limit },
      packed: await PackedRows.pack(gpu, copies),
      index: gpu.upload(list, [list.length], "row indices"),
      anchors: gpu.upload(anchors, [anchors.length], "anchors"),
      followed: undefined,
    };
    const pruning = axes && await CoresetPruning.create(rows, copies, axes);
    const owned = [rows.packed, rows.index!, rows.anchors];
    return await ActiveSet.#compile(rows, pruning, share, owned);
  }

  static async #compile(
    rows: CoresetRows,
    pruning: CoresetPruning | undefined,
    share: number | undefined,
    owned: Disposable[],
  ): Promise<ActiveSet> {
    const refresh = await Refresh.create(rows, pruning);
    const candidates = new Candidates(rows, share);
    await candidates.compile();
    if (pruning) owned.push(pruning);
    return new ActiveSet(rows, candidates, refresh, owned);
  }

  /** Frees all but the rows of the coreset themselves. */
  [Symbol.dispose](): void {
    for (const owned of this.#owned) owned[Symbol.dispose]();
  }
}

/** Earlier picks tell nothing of how the radius shrinks later. */
const LEAST_PICKS = 32;

/** The radius may shrink faster by this factor, in the exponent. */
const FASTER = 1.1;

/** And be smaller by this one. */
const SMALLER = 0.98;

/**
 * Foretells a lower bound of the covering radius at the end of a greedy coreset:
 * of rows that fill D dimensions, K picks leave a radius in proportion to
 * K^(−1/D). It may be wrong, and then is to be told so.
 */
export class RadiusForecast {
  readonly #limit: number;
  readonly #known: { count: number; radius: number }[] = [];
  #trust = 1;

  /** @param limit Picks in all. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Tells what is left after some picks.
   *
   * @param count The picks.
   * @param radius The covering radius.
   * @returns What it probably will not come below; 0 when nothing is known.
   */
  add(count: number, radius: number): number {
    const before = this.#known.findLast((known) =>
      known.count >= LEAST_PICKS && known.count <= count / 2
    );
    this.#known.push({ count, radius });
    if (before === undefined) return 0;
    const exponent = Math.log(before.radius / radius) /
      Math.log(count / before.count);
    const shrunk = (count / this.#limit) ** (FASTER * exponent);
    return this.#trust * SMALLER * radius * shrunk;
  }

  /** Tells that the last bound was too large. */
  missed(): void {
    this.#trust /= 2;
  }
}
