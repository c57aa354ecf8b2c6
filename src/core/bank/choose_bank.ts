import type { Gpu, RowChunks } from "../../gpu/mod.ts";
import { greedyCoreset } from "../coreset/greedy_coreset.ts";
import type { Coreset } from "../coreset/options.ts";
import { MemoryBank } from "./memory_bank.ts";
import {
  project,
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
import {
  bankRows,
  type ProjectionSettings,
  type Settings,
} from "../settings/settings.ts";
import type { WorkOptions } from "../features/progress.ts";
import { coresetStart } from "./row_chooser.ts";
import type { TrainingFeatures } from "../features/training_features.ts";

/** A memory bank chosen from training features. */
export interface ChosenBank {
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
  features: TrainingFeatures,
  settings: Settings,
  options: WorkOptions,
): Promise<ChosenBank> {
  const { rows, extractor: { features: { dim, height, width } } } = features;
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
  const projection = drawProjection(
    coreset.projection,
    dim,
    rows.rows,
    seed,
  );
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
  { onProgress, lean = false }: WorkOptions & { readonly lean?: boolean },
): Promise<Coreset> {
  const random = new Mt19937(seed);
  const images = Uint32Array.from(
    { length: rows.rows },
    (_, row) => Math.floor(row / patches),
  );
  return greedyCoreset(gpu, rows, {
    picks,
    images,
    lean,
    start: coresetStart(coreset, random, rows.rows),
    ...(onProgress && {
      onProgress: (done: number, total: number) =>
        onProgress("coreset", done, total),
    }),
  });
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
export function drawProjection(
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

/**
 * Dimensions after the projection; `undefined` where there is none.
 *
 * @param settings Which one.
 * @param inputs Dimensions of a feature.
 * @param samples Patches: they decide the size of a sparse projection.
 */
export function projectionSize(
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

/** The projection of a model file. */
export function storedProjection(
  { rows: outputs, columns: inputs, data: matrix }: StoredProjection,
): Projection {
  return { outputs, inputs, matrix };
}
