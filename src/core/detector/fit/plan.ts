import { bytesInWords } from "../../settings/byte_size.ts";
import { bankRows } from "../../settings/resolve_settings.ts";
import type { Settings } from "../../settings/settings.ts";
import {
  type FitSizes,
  projectedFitBytes,
  streamedFitBytes,
  type StreamLayout,
  wholeFitBytes,
} from "./fit_memory.ts";

/** Rows kept until the end for each row of the bank, the most first. */
const OVERSAMPLING = [2, 1.5, 1.25, 1];

/** Images that are scored together for the threshold, at most. */
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

/** A plan, and how it divides memory. */
export interface MemoryPlan {
  /** Rows to allocate for patch features, or for their projected copies. */
  readonly capacity: number;
  /** What is held of all patches at once. */
  readonly holds: HeldRows;
  /** Whether the coreset goes without the bounds that make it quicker. */
  readonly lean?: boolean;
  /** The division into buckets, where there are any. */
  readonly layout: StreamLayout | undefined;
  /** Images that are scored together for the threshold. */
  readonly block: number;
  /** GPU bytes at most. */
  readonly bytes: number;
  /** Rows of the bank, where they are known. */
  readonly bankRows: number | undefined;
}

/** What {@linkcode planMemory} has to fit in. */
export interface FitDemand {
  /** What decides the memory. */
  readonly sizes: FitSizes;
  /** How the bank is thinned out. */
  readonly settings: Settings;
  /** New images, where their number is known. */
  readonly images: number | undefined;
  /** Images of a batch. */
  readonly batch: number;
  /** Whether all images can be loaded again, however many they are. */
  readonly areListed: boolean;
  /** GPU bytes allowed. */
  readonly budget: number | undefined;
  /** Rows and patches of a stored model that new images are added to. */
  readonly known?: {
    /** Rows of its bank. */
    readonly rows: number;
    /** Patches that its bank stands for. */
    readonly patches: number;
  };
}

/**
 * Decides how a fit uses memory: all features at once where they fit, otherwise
 * their projected copies, otherwise in buckets.
 *
 * @throws {RangeError} If not even one batch beside the bank fits.
 */
export function planMemory(fit: FitDemand): MemoryPlan {
  const { sizes, settings: { coreset }, images, budget = Infinity, known } =
    fit;
  if (images === undefined && coreset.maxBank === null) {
    return planUncounted(fit, budget);
  }
  const rows = images === undefined ? Infinity : images * sizes.patches;
  const count = bankRows(coreset, rows + (known?.patches ?? 0));
  if (known === undefined) {
    const bytes = wholeFitBytes(sizes, rows, count);
    if (bytes <= budget && rows < Infinity) {
      const block = fit.batch;
      return { ...wholeOf(rows, bytes, block), bankRows: count };
    }
    const projections = planProjections(fit, rows, count, budget);
    if (projections !== undefined) return projections;
  }
  return planStream(fit, rows + (known?.rows ?? 0), count, budget);
}

function wholeOf(capacity: number, bytes: number, block: number) {
  return {
    capacity,
    holds: "features",
    layout: undefined,
    block,
    bytes,
  } as const;
}

/** Projected copies of all patches, where the rows chosen can be fetched. */
function planProjections(
  { sizes, batch, areListed }: FitDemand,
  rows: number,
  count: number,
  budget: number,
): MemoryPlan | undefined {
  const { projected, greedy } = sizes;
  if (!greedy || projected === undefined || !areListed || count >= rows) {
    return undefined;
  }
  for (const lean of [false, true]) {
    const bytesOf = (block: number): number => {
      const layout = { batch, block, lean };
      return projectedFitBytes({ ...sizes, projected }, rows, layout, count);
    };
    const block = largest((block) =>
      block <= MOST_SCORED && bytesOf(block) <= budget
    );
    if (block === 0) continue;
    return {
      capacity: rows,
      holds: "projections",
      lean,
      layout: undefined,
      block: Math.max(batch, block),
      bytes: bytesOf(block),
      bankRows: count,
    };
  }
  return undefined;
}

/** As many patches as fit: a share of an unknown number has no limit. */
function planUncounted({ sizes, settings, batch }: FitDemand, budget: number) {
  const step = batch * sizes.patches;
  const bytesOf = (steps: number): number =>
    wholeFitBytes(
      sizes,
      steps * step,
      bankRows(settings.coreset, steps * step),
    );
  const steps = largest((steps) => bytesOf(steps) <= budget);
  if (steps === 0) throw tooSmall(budget, bytesOf(1), sizes, undefined);
  return {
    ...wholeOf(steps * step, bytesOf(steps), batch),
    bankRows: undefined,
  };
}

function planStream(
  { sizes, batch, known }: FitDemand,
  rows: number,
  count: number,
  budget: number,
): MemoryPlan {
  const step = batch * sizes.patches;
  for (const factor of OVERSAMPLING) {
    const kept = Math.max(Math.ceil(count * factor), (known?.rows ?? 0) + 1);
    const least = kept + (factor === 1 ? step : Math.max(step, kept));
    const layoutOf = (steps: number): StreamLayout => ({
      capacity: Math.min(rows, kept + steps * step),
      kept,
      block: Math.max(batch, Math.min(MOST_SCORED, steps * batch)),
    });
    const bytesOf = (steps: number): number =>
      streamedFitBytes(sizes, layoutOf(steps), count);
    const enough = Math.ceil((rows - kept) / step);
    const steps = largest(
      (steps) => steps <= enough && bytesOf(steps) <= budget,
    );
    const layout = layoutOf(steps);
    if (steps > 0 && layout.capacity >= Math.min(least, rows)) {
      return {
        capacity: layout.capacity,
        holds: "buckets",
        layout,
        block: layout.block,
        bytes: bytesOf(steps),
        bankRows: count,
      };
    }
    if (factor === 1) throw tooSmall(budget, bytesOf(1), sizes, count);
  }
  throw new RangeError("Cannot plan a fit without rows");
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
  { fixedBytes, dim }: FitSizes,
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
