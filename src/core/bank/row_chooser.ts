import type { Gpu, RowChunks } from "../../gpu/mod.ts";
import type { Choice } from "./bank_builder.ts";
import { greedyCoreset } from "../coreset/greedy_coreset.ts";
import type { CoresetStart } from "../coreset/options.ts";
import { gatherRows } from "../rows/gather.ts";
import { project, type Projection } from "../rows/projection.ts";
import { pairDistances } from "../rows/pair_distances.ts";
import { choice, Mt19937 } from "../settings/random.ts";
import type { CoresetSettings, Settings } from "../settings/settings.ts";

/** What a {@linkcode RowChooser} chooses with. */
export interface RowChooserOptions {
  /** Method, start and seed. */
  readonly settings: Settings;
  /** The projection that the greedy choice works on, if there is one. */
  readonly projection: Projection | undefined;
  /** Called with the picks made so far and those to make. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Chooses rows again and again from what is left and what was added: greedily,
 * or at random so that every patch is as likely as any other to be left.
 */
export class RowChooser {
  /** Passes over all rows at hand that the greedy choices took. */
  passes = 0;
  readonly #gpu: Gpu;
  readonly #options: RowChooserOptions;
  readonly #random: Mt19937;
  #lots = new Float64Array(0);

  /** Starts with the settings' seed. */
  constructor(gpu: Gpu, options: RowChooserOptions) {
    this.#gpu = gpu;
    this.#options = options;
    this.#random = new Mt19937(options.settings.seed);
  }

  /**
   * Tells that the next rows were drawn at random from more patches before.
   *
   * @param rows How many they are.
   * @param patches How many they were drawn from.
   */
  drawn(rows: number, patches: number): void {
    if (this.#options.settings.coreset.method !== "random") return;
    const all = this.#draw(patches);
    const limit = all.toSorted()[rows] ?? 1;
    const lots = new Float64Array(this.#lots.length + rows);
    lots.set(this.#lots);
    lots.set(all.filter((lot) => lot < limit), this.#lots.length);
    this.#lots = lots;
  }

  /**
   * Chooses at most `count` rows; those drawn at random before may be dropped.
   *
   * @param rows The rows to choose from.
   * @param count How many.
   * @param kept The first rows, which are chosen already; 0: none, and the
   * choice is the last one, whose progress is worth telling.
   */
  async choose(
    rows: RowChunks,
    count: number,
    kept: number,
  ): Promise<Choice> {
    const { method } = this.#options.settings.coreset;
    if (method === "random") return this.#chooseAtRandom(rows.rows, count);
    if (count >= rows.rows) {
      return { picks: Uint32Array.from({ length: rows.rows }, (_, i) => i) };
    }
    if (method === "greedy") return await this.#choose(rows, count, kept);
    throw new RangeError(
      `Cannot keep all ${rows.rows} patches in a memory bank of ${count} rows`,
    );
  }

  async #choose(
    rows: RowChunks,
    count: number,
    kept: number,
  ): Promise<Choice> {
    const { settings: { coreset }, projection, onProgress } = this.#options;
    const projected = projection && await project(this.#gpu, rows, projection);
    const points = projected ?? rows;
    try {
      const { indices: picks, passes, nearestOther } = await greedyCoreset(
        this.#gpu,
        points,
        {
          picks: count,
          start: kept > 0
            ? { kind: "kept", rows: kept }
            : coresetStart(coreset, this.#random, rows.rows),
          // Every row is an image of its own: the nearest pick but itself.
          images: Uint32Array.from({ length: rows.rows }, (_, row) => row),
          ...(onProgress && { onProgress }),
        },
      );
      this.passes += passes;
      const nearest = nearestOther!;
      using centres = await gatherRows(this.#gpu, points, picks, "picked rows");
      const squared = await pairDistances(this.#gpu, points, centres, nearest);
      return { picks, cover: { nearest, squared } };
    } finally {
      projected?.dispose();
    }
  }

  /** Every patch draws a lot; those with the smallest ones are left. */
  #chooseAtRandom(rows: number, count: number): Choice {
    const drawn = this.#draw(rows - this.#lots.length);
    const lots = new Float64Array(rows);
    lots.set(this.#lots);
    lots.set(drawn, this.#lots.length);
    const picks = Uint32Array.from({ length: rows }, (_, row) => row)
      .sort((a, b) => lots[a] - lots[b] || a - b)
      .slice(0, count)
      .sort();
    this.#lots = Float64Array.from(picks, (pick) => lots[pick]);
    return { picks };
  }

  #draw(count: number): Float64Array<ArrayBuffer> {
    return Float64Array.from({ length: count }, () => this.#random.float64());
  }
}

/** Draws where a greedy choice starts. */
export function coresetStart(
  { start }: CoresetSettings,
  random: Mt19937,
  rows: number,
): CoresetStart {
  return start === "random"
    ? { kind: "included", point: random.below(rows) }
    : { kind: "mean", points: choice(random, rows, Math.min(10, rows)) };
}
