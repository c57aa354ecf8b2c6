import { CORESET_STATE } from "../../wgsl/coreset_step.ts";
import type { CoresetOptions } from "./options.ts";
import { boundsPay, type CoresetAxes, coresetAxes } from "./prune.ts";
import { Level } from "./coreset_level.ts";
import { type CoresetState, readProgress } from "./state.ts";
import { RadiusForecast } from "./radius_forecast.ts";

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
 *
 * @returns Passes.
 */
export async function pickLazily(
  state: CoresetState,
  options: CoresetOptions,
): Promise<number> {
  const { gpu, rows, limit } = state;
  const axes = !options.lean && boundsPay(rows.rows, rows.dim, limit)
    ? await coresetAxes(gpu, rows)
    : undefined;
  using greedy = new LazyGreedy(state, axes, options);
  return await greedy.pick();
}

class LazyGreedy implements Disposable {
  readonly #state: CoresetState;
  readonly #axes: CoresetAxes | undefined;
  readonly #options: CoresetOptions;
  readonly #forecast: RadiusForecast;
  #level: Level | undefined;
  /** The rows of the level; nothing when they are all. */
  #list: Uint32Array<ArrayBuffer> | undefined;
  /** What is known of the anchors of all rows while some are left out. */
  #known = new Float32Array(0);
  /** What the anchors of those left out are below. */
  #floor = 0;
  /** Picks that all rows are up to date with while some are left out. */
  #since = 0;

  constructor(
    state: CoresetState,
    axes: CoresetAxes | undefined,
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
    let level = await this.#open();
    if (start.kind === "kept") {
      await level.refresh.gatherCentres(start.rows);
      await level.refresh.run(0, start.rows);
    }
    const knowsFirst = state.others === undefined || start.kind === "kept";
    let fresh = knowsFirst ? (await readProgress(state)).count : 0;
    for (let passes = 1;;) {
      const { limit } = state;
      const count = await level.candidates.pick((n) => onProgress?.(n, limit));
      if (count > fresh) {
        await level.refresh.run(fresh, count);
        passes++;
      }
      const stuck = count === fresh;
      fresh = count;
      if (count < limit && !stuck) {
        level = await this.#narrow(level, count);
        continue;
      }
      if (this.#list === undefined) return passes;
      const farthest = await this.#merge(level);
      if (count === limit && farthest >= this.#floor) return passes;
      level = await this.#widen(count);
      passes++;
      if (count === limit) return passes;
    }
  }

  /** Makes the level of the rows that may be picked. */
  async #open(anchors?: Float32Array<ArrayBuffer>): Promise<Level> {
    this.#level?.dispose();
    this.#level = undefined;
    // What is free now has other sizes than what follows.
    this.#state.gpu.pool.trim();
    const { candidates } = this.#options;
    const list = this.#list;
    this.#level = list === undefined
      ? await Level.all(this.#state, this.#axes, candidates)
      : await Level.some(this.#state, list, anchors!, this.#axes, candidates);
    return this.#level;
  }

  /** Leaves rows out that will probably not be picked any more. */
  async #narrow(level: Level, count: number): Promise<Level> {
    const { gpu, others } = this.#state;
    const { rows } = level.rows.packed;
    if (others !== undefined || rows < FEW_ROWS) return level;
    const anchors = await gpu.readFloats(level.rows.anchors);
    const floor = Math.fround(
      this.#forecast.add(count, largest(anchors)),
    );
    if (!(floor > 0)) return level;
    const kept = notBelow(anchors, floor);
    if (kept.length > NARROWING * rows) return level;
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
  async #widen(count: number): Promise<Level> {
    this.#level?.dispose();
    this.#level = undefined;
    this.#list = undefined;
    this.#setFloor(0);
    this.#forecast.missed();
    await this.#state.pack();
    const level = await this.#open();
    await level.refresh.run(this.#since, count);
    return level;
  }

  /** Puts what is known together; returns the largest anchor of the level. */
  async #merge(level: Level): Promise<number> {
    const { gpu, anchors } = this.#state;
    const now = await gpu.readFloats(level.rows.anchors);
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

  dispose(): void {
    this.#level?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
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
