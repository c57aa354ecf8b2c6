import { roundUp } from "../../../wgsl/grid.ts";
import { mostMendsOfAll } from "../../bank/mends.ts";
import { choiceBytes } from "../../bank/choose_rows.ts";
import type { PanelReader } from "../../rows/packed_rows.ts";
import { projectedBytes } from "../../rows/projection.ts";
import { searchBytes, type SearchSizes } from "../../search/search.ts";
import { bytesInWords } from "../../settings/byte_size.ts";
import { bankRows } from "../../settings/resolve_settings.ts";
import type { Settings } from "../../settings/settings.ts";
import { mostFolds } from "../../threshold/folds.ts";
import { secondPassBytes } from "../../threshold/second_pass.ts";
import { heldOutBytes } from "../../threshold/training_scores.ts";

/** Small buffers: states, parameters, pieces that are read back. */
const SMALL = 4 * 2 ** 20;

/** Rows kept until the end for each row of the bank, the most first. */
const OVERSAMPLING = [2, 1.5, 1.25, 1];

/** Tiles that are scored together for the threshold, at most. */
const MOST_SCORED = 32;

/**
 * What a fit holds of all patches at once: their features; their projected
 * copies, from which the same rows are chosen and fetched by extracting their
 * images again; or a bucket after the other, reduced.
 */
export type HeldRows = "features" | "projections" | "buckets";

/** What a fit is going to do, known before the work. */
export interface FitPlan {
  /** Training images; `undefined` where their number is not known. */
  readonly images: number | undefined;
  /** Patches of an image. */
  readonly patchesPerImage: number;
  /** Tiles of an image; 1 where images are seen as a whole. */
  readonly tilesPerImage: number;
  /** Images, or tiles, that the GPU works on at once. */
  readonly batch: number;
  /** Patches of all images. */
  readonly patches: number | undefined;
  /** Rows of the memory bank. */
  readonly bankRows: number | undefined;
  /** Dimensions of a patch feature. */
  readonly dim: number;
  /** GPU bytes that will be allocated at most. */
  readonly memoryBytes: number;
  /** GPU bytes that may be allocated; `undefined`: no limit was given. */
  readonly memoryBudget: number | undefined;
  /** What is held of all patches at once, and so what the choice sees. */
  readonly holds: HeldRows;
  /** Whether features are reduced bucket by bucket, so that the bank is approximate. */
  readonly streamed: boolean;
  /** Buckets that the patches are divided into. */
  readonly buckets: number | undefined;
  /** Images that are scored for the threshold; all, unless streamed. */
  readonly thresholdImages: number | undefined;
  /** Seconds from the end of the first batch on, estimated from it. */
  readonly seconds: number | undefined;
}

/** What a fit needs, and what it has. */
export interface FitDemand {
  /** The device. */
  readonly gpu: PanelReader;
  /** Bytes of the backbone, its activations and the image to resize. */
  readonly fixedBytes: number;
  /** What the network sees of an image: its views, or its tiles. */
  readonly inputs: number;
  /** Patches of each of them. */
  readonly patches: number;
  /** Pixels of each, and of its anomaly map. */
  readonly pixels: number;
  /** Elements of a feature, padding included. */
  readonly dim: number;
  /** Elements of a projected feature; none where there is no projection. */
  readonly projected: number | undefined;
  /** How the bank is thinned out and images are scored. */
  readonly settings: Settings;
  /** New images, where their number is known. */
  readonly images: number | undefined;
  /** Tiles of a batch. */
  readonly batch: number;
  /** Whether all images can be loaded again, however many they are. */
  readonly areListed: boolean;
  /** GPU bytes allowed. */
  readonly budget: number | undefined;
  /** Rows and patches of a stored model that new images are added to. */
  readonly known?: { readonly rows: number; readonly patches: number };
}

/** How a fit divides memory. */
export interface MemoryPlan {
  /** What is held of all patches at once. */
  readonly holds: HeldRows;
  /** Rows to allocate for patch features, or for their projected copies. */
  readonly capacity: number;
  /** Rows that are left of these when they are full, where there are buckets. */
  readonly kept?: number;
  /** Whether the coreset goes without the bounds that make it quicker. */
  readonly lean: boolean;
  /** Tiles that are scored together for the threshold. */
  readonly block: number;
  /** GPU bytes at most. */
  readonly bytes: number;
  /** Rows of the bank, where they are known. */
  readonly bankRows: number | undefined;
}

/**
 * Decides how a fit uses memory: all features at once where they fit, otherwise
 * their projected copies, otherwise in buckets.
 *
 * @throws {RangeError} If not even one batch beside the bank fits.
 */
export function planMemory(fit: FitDemand): MemoryPlan {
  const { settings: { coreset }, images, budget = Infinity, known } = fit;
  if (images === undefined && coreset.maxBank === null) {
    return planUncounted(fit, budget);
  }
  const rows = images === undefined
    ? Infinity
    : images * fit.inputs * fit.patches;
  const bankRowCount = bankRows(coreset, rows + (known?.patches ?? 0));
  if (known === undefined) {
    const bytes = wholeFitBytes(fit, rows, bankRowCount);
    if (bytes <= budget && rows < Infinity) {
      return wholePlan(fit, rows, bytes, bankRowCount);
    }
    const projections = planProjections(fit, rows, bankRowCount, budget);
    if (projections !== undefined) return projections;
  }
  // A bank of fewer rows than its share, as of duplicates, stands for patches
  // that are not there any more.
  const most = rows + (known?.rows ?? 0);
  return planBuckets(fit, most, Math.min(bankRowCount, most), budget);
}

function wholePlan(
  { batch: block }: FitDemand,
  capacity: number,
  bytes: number,
  bankRows: number | undefined,
): MemoryPlan {
  return { holds: "features", capacity, lean: false, block, bytes, bankRows };
}

/** As many patches as fit: a share of an unknown number has no limit. */
function planUncounted(fit: FitDemand, budget: number): MemoryPlan {
  const step = fit.batch * fit.patches;
  const bytesOf = (steps: number): number => {
    const rows = steps * step;
    return wholeFitBytes(fit, rows, bankRows(fit.settings.coreset, rows));
  };
  const steps = largest((steps) => bytesOf(steps) <= budget);
  if (steps === 0) throw tooSmall(budget, bytesOf(1), fit, undefined);
  return wholePlan(fit, steps * step, bytesOf(steps), undefined);
}

/** Projected copies of all patches, where the rows chosen can be fetched. */
function planProjections(
  fit: FitDemand,
  capacity: number,
  bankRows: number,
  budget: number,
): MemoryPlan | undefined {
  const { projected, batch, areListed } = fit;
  if (projected === undefined || !areListed || bankRows >= capacity) {
    return undefined;
  }
  for (const lean of [false, true]) {
    const planOf = (block: number): MemoryPlan => {
      const together = Math.max(batch, block);
      const bytes = projectedFitBytes(
        { ...fit, projected },
        { capacity, lean, block: together },
        bankRows,
      );
      return {
        ...{ holds: "projections", capacity, lean, block: together },
        ...{ bytes, bankRows },
      };
    };
    const block = largest((block) =>
      block <= MOST_SCORED && planOf(block).bytes <= budget
    );
    if (block > 0) return planOf(block);
  }
  return undefined;
}

function planBuckets(
  fit: FitDemand,
  rows: number,
  bankRows: number,
  budget: number,
): MemoryPlan {
  const { batch, known } = fit;
  const step = batch * fit.patches;
  for (const factor of OVERSAMPLING) {
    const kept = Math.max(Math.ceil(bankRows * factor), (known?.rows ?? 0) + 1);
    const least = kept + (factor === 1 ? step : Math.max(step, kept));
    const planOf = (steps: number): MemoryPlan => {
      const layout = {
        capacity: Math.min(rows, kept + steps * step),
        kept,
        block: Math.max(batch, Math.min(MOST_SCORED, steps * batch)),
      };
      const bytes = bucketFitBytes(fit, layout, bankRows);
      return { holds: "buckets", ...layout, lean: false, bytes, bankRows };
    };
    const enough = Math.max(1, Math.ceil((rows - kept) / step));
    const steps = largest(
      (steps) => steps <= enough && planOf(steps).bytes <= budget,
    );
    const plan = planOf(steps);
    if (steps > 0 && plan.capacity >= Math.min(least, rows)) return plan;
    if (factor === 1) throw tooSmall(budget, planOf(1).bytes, fit, bankRows);
  }
  throw new RangeError("Cannot plan a fit without rows");
}

/** GPU bytes of a fit that holds all features at once, at the most. */
export function wholeFitBytes(
  fit: FitDemand,
  rows: number,
  bankRows: number,
): number {
  const mends = mendRows(fit, rows, bankRows);
  const sizes = searchSizes(fit, bankRows + mends);
  const scoring = rowBytes(fit, copiedRows(bankRows, mends)) +
    searchBytes(sizes).bank +
    heldOutBytes(sizes, fit.settings, rows / fit.patches, fit);
  return fit.fixedBytes + rowBytes(fit, rows + bankRows) +
    Math.max(choosingBytes(fit, rows, bankRows), scoring) + SMALL;
}

/**
 * GPU bytes of a fit that holds the projected copies of all features and a batch
 * of the features themselves, at the most.
 */
function projectedFitBytes(
  fit: FitDemand & { readonly projected: number },
  { capacity, lean, block }: Pick<MemoryPlan, "capacity" | "lean" | "block">,
  bankRows: number,
): number {
  const { dim, projected, fixedBytes, settings } = fit;
  const batch = fit.batch * fit.patches;
  const collecting = projectedBytes(capacity, projected) +
    rowBytes(fit, 2 * batch) + dim * roundUp(projected, 4) * 4;
  const choosing = choosingBytes(fit, capacity, bankRows, lean);
  const mends = mendRows(fit, capacity, bankRows);
  // The rows come in the order of their images, batch by batch.
  const fetching = rowBytes(fit, batch + 3 * (bankRows + mends));
  const sizes = searchSizes(fit, bankRows + mends);
  const scoring = rowBytes(fit, copiedRows(bankRows, mends)) +
    secondPassBytes(sizes, settings, block, fit);
  return fixedBytes + Math.max(collecting, choosing, fetching, scoring) +
    SMALL;
}

/** GPU bytes of a fit bucket by bucket, at the most. */
function bucketFitBytes(
  fit: FitDemand,
  { capacity, kept, block }:
    & Pick<MemoryPlan, "capacity" | "block">
    & { readonly kept: number },
  bankRows: number,
): number {
  const chosen = Math.max(kept, bankRows);
  const building = rowBytes(fit, capacity + chosen) +
    choosingBytes(fit, capacity, chosen);
  const mends = mendRows(fit, Infinity, bankRows);
  const sizes = searchSizes(fit, bankRows + mends);
  const { settings } = fit;
  const isMeasured = settings.coreset.method === "greedy";
  const space = isMeasured ? fit : undefined;
  const scoring = rowBytes(fit, copiedRows(bankRows, mends)) +
    secondPassBytes(sizes, settings, block, fit, space);
  return fit.fixedBytes + Math.max(building, scoring) + SMALL;
}

/** Rows that mend the bank for all folds, at the most. */
function mendRows(
  { settings: { coreset }, images = Infinity, known }: FitDemand,
  rows: number,
  bankRows: number,
): number {
  const folds = mostFolds(known ? Infinity : images);
  return coreset.method === "none" || bankRows >= rows
    ? 0
    : mostMendsOfAll(bankRows, folds);
}

/** Rows that are copied to have the bank and its mending rows together. */
function copiedRows(bankRows: number, mends: number): number {
  return mends === 0 ? 0 : bankRows + mends;
}

function choosingBytes(
  { settings: { coreset }, dim, projected }: FitDemand,
  rows: number,
  picks: number,
  lean = false,
): number {
  return coreset.method !== "greedy" || picks >= rows
    ? rows * 4
    : choiceBytes({ rows, dim, projected, picks, lean });
}

function searchSizes({ gpu, dim }: FitDemand, rows: number): SearchSizes {
  return { gpu, rows, dim };
}

function rowBytes({ dim }: FitDemand, rows: number): number {
  return rows * dim * 4;
}

/** The largest integer for which a falling condition holds; 0 for none. */
function largest(holds: (n: number) => boolean): number {
  let high = 1;
  while (high < 2 ** 30 && holds(high)) high *= 2;
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}

function tooSmall(
  budget: number,
  needed: number,
  { fixedBytes, dim }: FitDemand,
  count: number | undefined,
): RangeError {
  const bank = count === undefined
    ? ""
    : `, a memory bank of ${count} rows of ${dim} elements ${
      bytesInWords(count * dim * 4)
    } two or three times over`;
  return new RangeError(
    `Cannot fit in ${bytesInWords(budget)} of memory: the backbone takes ${
      bytesInWords(fixedBytes)
    }${bank}; allow at least ${
      bytesInWords(needed)
    }, or keep fewer rows (max bank, coreset ratio)`,
  );
}
