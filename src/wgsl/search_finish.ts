import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import { shrinkOf } from "./search_leading.ts";
import finish from "./search_finish/finish.wgsl" with { type: "text" };
import measure from "./search_finish/measure.wgsl" with { type: "text" };
import nearest from "./search_finish/nearest.wgsl" with { type: "text" };

/** Dimensions after which rows may be left. */
const LOOK = 256;

/** Groups that `search_finish` lists at a time, as in the text. */
const WINDOW = 128;

/** What kernels that measure rows have in common. */
export interface SearchMeasureSizes {
  /** Number of queries. */
  readonly queries: number;
  /** Elements of a row; `search_refine` takes a multiple of 4. */
  readonly dim: number;
  /** Bank rows of this dispatch. */
  readonly rows: number;
  /** First row of this dispatch within the tensor `bank`. */
  readonly first: number;
  /** Index of that row in the whole bank. */
  readonly base: number;
  /** Groups of 8 rows, or of 8 in each of several panels. */
  readonly groups: number;
  /** Neighbours to find, 1 to 16. */
  readonly k: number;
  /** Whether this is the first dispatch of the search. */
  readonly start: boolean;
  /** Lanes of a workgroup: 8 or a multiple of it. */
  readonly lanes: number;
}

/** A turn of the exact search, which goes on where the last one stopped. */
export interface SearchFinishSizes extends SearchMeasureSizes {
  /** Whether this dispatch does not continue where another one stopped. */
  readonly fresh: boolean;
}

/** A first search by lower bounds, and the errors of these. */
export interface SearchNearestSizes extends SearchMeasureSizes {
  /** Whether rows of the query's own image are left out. */
  readonly exclude: boolean;
  /** Relative rounding error of the bounds. */
  readonly slack: number;
  /** What a distance of compared rows may be too large by. */
  readonly radius: number;
  /** Share of it that it may be too large by on top. */
  readonly stretch: number;
}

/**
 * Rows of each query that are about its k nearest: the groups with the least lower
 * bounds are measured by direct differences.
 */
export const searchNearest: Kernel<
  SearchNearestSizes,
  | "queries"
  | "query_norms"
  | "bank"
  | "images"
  | "query_images"
  | "least"
  | "distances"
  | "indices"
> = defineKernel({
  name: "search_nearest",
  source: nearest + measure,
  plan(sizes) {
    return {
      params: {
        ...measureParams(sizes),
        dim: sizes.dim,
        most: 2 * sizes.k - 1,
        slack: sizes.slack,
        radius: sizes.radius,
        shrink: shrinkOf(sizes.stretch),
      },
      overrides: {
        LANES: sizes.lanes,
        LOOK,
        EXCLUDE: Number(sizes.exclude),
      },
      workgroups: gridFor(sizes.queries),
    };
  },
});

/** The k nearest rows of each query, exactly, of those that `search_narrow` left. */
export const searchFinish: Kernel<
  SearchFinishSizes,
  "queries" | "bank" | "near" | "distances" | "indices" | "resume"
> = defineKernel({
  name: "search_finish",
  source: finish + measure,
  plan(sizes) {
    return {
      params: {
        ...measureParams(sizes),
        dim: sizes.dim,
        most: measurementsAtOnce(sizes),
        fresh: Number(sizes.fresh),
      },
      overrides: { LANES: sizes.lanes, LOOK },
      workgroups: gridFor(sizes.queries),
    };
  },
});

/**
 * Dispatches of {@linkcode searchFinish} until all groups were looked at,
 * however many of their rows have to be measured.
 */
export function searchFinishDispatches(
  sizes: Pick<SearchMeasureSizes, "dim" | "k" | "lanes" | "groups">,
): number {
  return Math.ceil(sizes.groups / measurementsAtOnce(sizes));
}

/**
 * Measurements after which `search_finish` stops: less than a window more. Mesa's
 * llvmpipe leaves a loop when all loops of an invocation made 65,535 turns
 * together; so many stay below it.
 */
function measurementsAtOnce(
  { dim, k, lanes }: Pick<SearchMeasureSizes, "dim" | "k" | "lanes">,
): number {
  const blocks = Math.ceil(dim / LOOK);
  const turns = Math.ceil(dim / (4 * lanes)) + blocks * (5 + lanes / 8);
  return Math.max(1, Math.floor(60_000 / (turns + 8 * k + 20)) - WINDOW);
}

/** Parameters of {@linkcode SearchMeasureSizes}, as the kernels name them. */
export function measureParams(
  sizes: SearchMeasureSizes,
): Record<string, number> {
  const { queries, rows, first, base, groups, k, start } = sizes;
  return { queries, rows, first, base, groups, k, start: Number(start) };
}
