import { type Gpu, readbackBytes, type RowChunks } from "../../gpu/mod.ts";
import { roundUp } from "../../wgsl/grid.ts";
import { coresetBytes, greedyCoreset } from "../coreset/greedy_coreset.ts";
import type { Coreset, CoresetStart } from "../coreset/options.ts";
import { MemoryBank } from "./memory_bank.ts";
import {
  project,
  projectedBytes,
  type Projection,
  type StoredProjection,
} from "../rows/projection.ts";
import {
  gaussianProjection,
  linearProjection,
  sparseProjection,
  sparseProjectionSize,
} from "../settings/projection.ts";
import { choice, Mt19937, permutation } from "../settings/random.ts";
import { bankRows } from "../settings/resolve_settings.ts";
import type {
  CoresetSettings,
  ProjectionSettings,
  Settings,
} from "../settings/settings.ts";
import { stageProgress, type WorkOptions } from "../features/progress.ts";
import type { ExtractedPatches } from "../features/training_features.ts";
import type { Choice } from "./bank_builder.ts";
import type { MendingRows } from "./mended_bank.ts";
import { countOf, type Mends, mendsOf, NO_MENDS } from "./mends.ts";
import { SpareRows } from "./spare_rows.ts";
import { gatherRows } from "../rows/row_sets.ts";
import { pairBytes, pairDistances } from "../rows/pair_distances.ts";

/** A memory bank chosen from training features. */
interface ChosenBank {
  /** The bank. */
  readonly bank: MemoryBank;
  /** The projection that the choice worked on, if there was one. */
  readonly projection: Projection | undefined;
  /** The largest distance of a patch to the bank in the projected space, where it was measured. */
  readonly radius: number | undefined;
  /** Passes over all patches that the choice took. */
  readonly passes: number;
  /** What the choice knows that spares work when its images are scored. */
  readonly near: NearRows | undefined;
  /** What mends the bank for each fold. */
  readonly mends: OwnedMends | undefined;
}

/** Bank rows near each patch, by the choice. */
export interface NearRows {
  /** The nearest bank row of each patch. */
  readonly rows: Uint32Array<ArrayBuffer>;
  /** The nearest one of another fold than that one's. */
  readonly others: Uint32Array<ArrayBuffer>;
}

/** Mending rows that are to be freed. */
export interface OwnedMends extends MendingRows, Disposable {}

/**
 * Thins the training features out to the memory bank (paper §3.2).
 *
 * @param gpu The device.
 * @param features Patch features of all training images.
 * @param settings How the bank is thinned out.
 * @param folds Fold of each image, see `foldsOf()`.
 * @param options Progress and cancelling.
 */
export async function chooseBank(
  gpu: Gpu,
  { rows, extractor: { features } }: ExtractedPatches,
  settings: Settings,
  folds: ArrayLike<number>,
  options: WorkOptions,
): Promise<ChosenBank> {
  const { coreset, seed } = settings;
  const { dim, patches } = features;
  const count = bankRows(coreset, rows.rows);
  const gather = (picks: Uint32Array) =>
    MemoryBank.gather(gpu, rows, dim, picks, features);
  const foldOf = (row: number): number => folds[Math.floor(row / patches)]!;
  const mending = async ({ rows: picks, folds }: Mends) =>
    picks.length === 0
      ? undefined
      : ownedMends(await gatherRows(gpu, rows, picks, "mending rows"), folds);
  if (coreset.method !== "greedy" || count === rows.rows) {
    const picks = coreset.method === "random"
      ? choice(new Mt19937(seed), rows.rows, count).sort()
      : Uint32Array.from({ length: rows.rows }, (_, row) => row);
    const mends = randomMends(picks, rows.rows, foldOf, seed);
    return {
      bank: await gather(picks),
      projection: undefined,
      ...{ radius: undefined, passes: 0, near: undefined },
      mends: await mending(mends),
    };
  }
  const projection = projectionFor(settings, dim, rows.rows);
  const projected = projection && await project(gpu, rows, projection);
  try {
    const { indices, radius, passes, near, mends } = await pickRows(
      gpu,
      projected ?? rows,
      count,
      Uint32Array.from({ length: rows.rows }, (_, row) => foldOf(row)),
      settings,
      options,
    );
    const bank = await gather(indices);
    return {
      ...{ bank, projection, radius, passes, near },
      mends: await mending(mends),
    };
  } finally {
    projected?.dispose();
  }
}

/**
 * Picks rows greedily, starting as the settings say.
 *
 * @param gpu The device.
 * @param rows Features of all patches or their projected copies, images in order.
 * @param picks How many.
 * @param folds Fold of each row.
 * @param settings Start and seed.
 * @param options Progress and cancelling, and whether memory is short.
 */
export async function pickRows(
  gpu: Gpu,
  rows: RowChunks,
  picks: number,
  folds: Uint32Array<ArrayBuffer>,
  { coreset, seed }: Settings,
  options: WorkOptions & { readonly lean?: boolean },
): Promise<PickedRows> {
  const random = new Mt19937(seed);
  const chosen = await greedyCoreset(gpu, rows, {
    picks,
    folds,
    lean: options.lean ?? false,
    start: coresetStart(coreset, random, rows.rows),
    ...stageProgress("coreset", options),
  });
  const mends = await mendsOf(gpu, rows, folds, chosen);
  const { indices, radius, passes, nearest } = chosen;
  const near = { rows: nearest!.picks, others: nearest!.others };
  return { indices, radius, passes, near, mends };
}

/** Rows picked greedily, and what mends them for each fold. */
export interface PickedRows extends Omit<Coreset, "nearest"> {
  /** Picks near each row. */
  readonly near: NearRows;
  /** Rows in place of each fold's picks. */
  readonly mends: Mends;
}

/** Mending rows that own their features. */
export function ownedMends(
  rows: RowChunks,
  folds: ArrayLike<number>,
): OwnedMends {
  return { rows, folds, [Symbol.dispose]: () => rows.dispose() };
}

/**
 * As many rows of other folds, drawn at random, as rows of each fold were drawn:
 * a bank drawn without the fold would have as many rows. None where the bank is
 * all rows.
 *
 * @param picks The bank, ascending.
 * @param count Rows that it was drawn from.
 * @param foldOf Fold of a row.
 * @param seed Where the draw starts.
 */
function randomMends(
  picks: Uint32Array,
  count: number,
  foldOf: (row: number) => number,
  seed: number,
): Mends {
  if (picks.length === count) return NO_MENDS;
  const picked = new Uint8Array(count);
  for (const pick of picks) picked[pick] = 1;
  const left = Uint32Array.from({ length: count }, (_, row) => row)
    .filter((row) => picked[row] === 0);
  const order = permutation(new Mt19937(seed), left.length);
  return nextMends(picks, Array.from(order, (place) => left[place]!), foldOf);
}

/**
 * For each fold the next rows of other folds that would have been drawn, as many
 * as rows of it were.
 */
function nextMends(
  picks: Uint32Array,
  next: ArrayLike<number>,
  foldOf: (row: number) => number,
): Mends {
  const rows: number[] = [];
  const folds: number[] = [];
  const lost = [...countOf(picks.values().map(foldOf))];
  for (const [fold, needed] of lost.sort(([a], [b]) => a - b)) {
    let found = 0;
    for (let i = 0; i < next.length && found < needed; i++) {
      const row = next[i]!;
      if (foldOf(row) === fold) continue;
      rows.push(row);
      folds.push(fold);
      found++;
    }
  }
  return { rows: Uint32Array.from(rows), folds: Uint32Array.from(folds) };
}

/**
 * The projection that rows are chosen with; none unless they are chosen greedily.
 *
 * @param settings Method, projection and seed.
 * @param inputs Dimensions of a feature.
 * @param samples Patches to choose from.
 * @param stored That of a model whose rows are chosen from, which goes on.
 */
export function projectionFor(
  { coreset, seed }: Settings,
  inputs: number,
  samples: number,
  stored?: StoredProjection,
): Projection | undefined {
  if (coreset.method !== "greedy") return undefined;
  if (stored === undefined) {
    return drawProjection(coreset.projection, inputs, samples, seed);
  }
  const { rows, columns, data } = stored;
  return { outputs: rows, inputs: columns, matrix: data };
}

/**
 * Draws the random projection that the coreset works on (paper §3.2, Johnson
 * and Lindenstrauss); none when the features are taken as they are, or when a
 * linear one would not change their dimensions.
 *
 * @param settings Which one.
 * @param inputs Dimensions of a feature.
 * @param samples Patches: they decide the size of a sparse projection.
 * @param seed Where the draw starts.
 */
function drawProjection(
  settings: ProjectionSettings,
  inputs: number,
  samples: number,
  seed: number,
): Projection | undefined {
  const outputs = projectionSize(settings, inputs, samples);
  if (outputs === undefined) return undefined;
  const random = new Mt19937(seed);
  const draw = settings.kind === "sparse"
    ? sparseProjection
    : settings.kind === "linear"
    ? linearProjection
    : gaussianProjection;
  return { outputs, inputs, matrix: draw(random, inputs, outputs) };
}

/** Dimensions after the projection; `undefined` where there is none. */
function projectionSize(
  settings: ProjectionSettings,
  inputs: number,
  samples: number,
): number | undefined {
  switch (settings.kind) {
    case "none":
      return undefined;
    case "sparse":
      return sparseProjectionSize(samples, settings.eps);
    default:
      return settings.dim === inputs ? undefined : settings.dim;
  }
}

/** How rows are chosen, and who is told of the picks. */
interface RowChooserOptions {
  /** Method, start and seed. */
  readonly settings: Settings;
  /** The projection that the greedy choice works on, if there is one. */
  readonly projection: Projection | undefined;
  /**
   * Folds of all images so far: asks for the rows that mend the bank. Without it
   * there are none.
   */
  readonly folds?: () => ArrayLike<number>;
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
  readonly #spares: SpareRows;
  #lots = new Float64Array(0);

  /** Starts with the settings' seed. */
  constructor(gpu: Gpu, options: RowChooserOptions) {
    this.#gpu = gpu;
    this.#options = options;
    this.#random = new Mt19937(options.settings.seed);
    this.#spares = new SpareRows(gpu);
  }

  /** What mends the bank that was chosen last, for each fold. */
  mends(dim: number): OwnedMends | undefined {
    const found = this.#spares.mends(dim);
    return found && ownedMends(found.rows, found.folds);
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
   * @param images Image of each row.
   */
  async choose(
    rows: RowChunks,
    count: number,
    kept: number,
    images: Uint32Array<ArrayBuffer>,
  ): Promise<Choice> {
    const { folds, settings: { coreset: { method } } } = this.#options;
    const known = folds?.();
    const own = known && images.map((image) => known[image]!);
    if (method === "random") {
      return await this.#chooseAtRandom(rows, count, own);
    }
    if (count >= rows.rows) {
      return { picks: Uint32Array.from({ length: rows.rows }, (_, i) => i) };
    }
    if (method === "greedy") return await this.#choose(rows, count, kept, own);
    throw new RangeError(
      `Cannot keep all ${rows.rows} patches in a memory bank of ${count} rows`,
    );
  }

  async #choose(
    rows: RowChunks,
    count: number,
    kept: number,
    own: Uint32Array<ArrayBuffer> | undefined,
  ): Promise<Choice> {
    const { settings: { coreset }, projection, onProgress } = this.#options;
    const projected = projection && await project(this.#gpu, rows, projection);
    const points = projected ?? rows;
    // Without folds every row is one of its own.
    const folds = own ??
      Uint32Array.from({ length: rows.rows }, (_, row) => row);
    try {
      const chosen = await greedyCoreset(
        this.#gpu,
        points,
        {
          picks: count,
          start: kept > 0
            ? { kind: "kept", rows: kept }
            : coresetStart(coreset, this.#random, rows.rows),
          folds,
          ...(onProgress && { onProgress }),
        },
      );
      const { indices: picks } = chosen;
      this.passes += chosen.passes;
      if (own) {
        await this.#spares.spare({ rows, points, folds, coreset: chosen });
      }
      const nearest = chosen.nearest!.picks;
      using centres = await gatherRows(this.#gpu, points, picks, "picked rows");
      const squared = await pairDistances(this.#gpu, points, centres, nearest);
      return { picks, cover: { nearest, squared } };
    } finally {
      projected?.dispose();
    }
  }

  /** Every patch draws a lot; those with the smallest ones are left. */
  async #chooseAtRandom(
    all: RowChunks,
    count: number,
    folds: Uint32Array<ArrayBuffer> | undefined,
  ): Promise<Choice> {
    const { rows } = all;
    const drawn = this.#draw(rows - this.#lots.length);
    const lots = new Float64Array(rows);
    lots.set(this.#lots);
    lots.set(drawn, this.#lots.length);
    const order = Uint32Array.from({ length: rows }, (_, row) => row)
      .sort((a, b) => lots[a]! - lots[b]! || a - b);
    const picks = order.slice(0, count).sort();
    if (folds) {
      const foldOf = (row: number): number => folds[row]!;
      const mends = nextMends(picks, order.subarray(count), foldOf);
      await this.#spares.replace(all, mends.rows, mends.folds);
    }
    this.#lots = Float64Array.from(picks, (pick) => lots[pick]);
    return { picks };
  }

  #draw(count: number): Float64Array<ArrayBuffer> {
    return Float64Array.from({ length: count }, () => this.#random.float64());
  }
}

/** Draws where a greedy choice starts. */
function coresetStart(
  { start }: CoresetSettings,
  random: Mt19937,
  rows: number,
): CoresetStart {
  return start === "random"
    ? { kind: "included", point: random.below(rows) }
    : { kind: "mean", points: choice(random, rows, Math.min(10, rows)) };
}

/** What decides the GPU memory of a choice. */
interface ChoiceSizes {
  /** Rows to choose from. */
  readonly rows: number;
  /** Elements of a row. */
  readonly dim: number;
  /** Elements of a projected one; none where there is no projection. */
  readonly projected: number | undefined;
  /** Rows to choose. */
  readonly picks: number;
  /** Whether it goes without the bounds that make it quicker. */
  readonly lean?: boolean;
}

/** GPU bytes of a greedy choice beside the rows themselves and the bank. */
export function choiceBytes(
  { rows, dim, projected, picks, lean = false }: ChoiceSizes,
): number {
  const length = roundUp(projected ?? dim, 4);
  const projection = projected === undefined
    ? 0
    : projectedBytes(rows, projected) + dim * length * 4;
  return projection +
    coresetBytes(rows, length, picks, { folds: true, lean }) +
    picks * length * 4 + pairBytes(rows) + 8 * (rows + picks) +
    readbackBytes(8 * (rows + picks));
}
