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
import { choice, Mt19937 } from "../settings/random.ts";
import { bankRows } from "../settings/resolve_settings.ts";
import type {
  CoresetSettings,
  ProjectionSettings,
  Settings,
} from "../settings/settings.ts";
import { stageProgress, type WorkOptions } from "../features/progress.ts";
import type { ExtractedPatches } from "../features/training_features.ts";
import type { Choice } from "./bank_builder.ts";
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
  /**
   * For each patch the bank row of another image that is near it, where the
   * choice found one: a start for the leave-one-image-out scores.
   */
  readonly nearestOther: Uint32Array<ArrayBuffer> | undefined;
}

/**
 * Thins the training features out to the memory bank (paper §3.2).
 *
 * @param gpu The device.
 * @param features Patch features of all training images.
 * @param settings How the bank is thinned out.
 * @param options Progress and cancelling.
 */
export async function chooseBank(
  gpu: Gpu,
  { rows, extractor: { features: { dim, height, width } } }: ExtractedPatches,
  settings: Settings,
  options: WorkOptions,
): Promise<ChosenBank> {
  const { coreset, seed } = settings;
  const count = bankRows(coreset, rows.rows);
  const gather = (picks: Uint32Array) =>
    MemoryBank.gather(gpu, rows, dim, picks, { height, width });
  const unmeasured = { radius: undefined, passes: 0, nearestOther: undefined };
  if (coreset.method !== "greedy" || count === rows.rows) {
    const picks = coreset.method === "random"
      ? choice(new Mt19937(seed), rows.rows, count).sort()
      : Uint32Array.from({ length: rows.rows }, (_, row) => row);
    return {
      bank: await gather(picks),
      projection: undefined,
      ...unmeasured,
    };
  }
  const projection = projectionFor(settings, dim, rows.rows);
  const projected = projection && await project(gpu, rows, projection);
  try {
    const { indices, radius, passes, nearestOther } = await pickRows(
      gpu,
      projected ?? rows,
      count,
      height * width,
      settings,
      options,
    );
    const bank = await gather(indices);
    return { bank, projection, radius, passes, nearestOther };
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
 * @param patches Patches of an image.
 * @param settings Start and seed.
 * @param options Progress and cancelling, and whether memory is short.
 */
export function pickRows(
  gpu: Gpu,
  rows: RowChunks,
  picks: number,
  patches: number,
  { coreset, seed }: Settings,
  options: WorkOptions & { readonly lean?: boolean },
): Promise<Coreset> {
  const random = new Mt19937(seed);
  const images = Uint32Array.from(
    { length: rows.rows },
    (_, row) => Math.floor(row / patches),
  );
  return greedyCoreset(gpu, rows, {
    picks,
    images,
    lean: options.lean ?? false,
    start: coresetStart(coreset, random, rows.rows),
    ...stageProgress("coreset", options),
  });
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
    coresetBytes(rows, length, picks, { images: true, lean }) +
    picks * length * 4 + pairBytes(rows) + 8 * (rows + picks) +
    readbackBytes(8 * (rows + picks));
}
