import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import source from "./search_refine.wgsl" with { type: "text" };

/** The most neighbours {@linkcode searchRefine} finds of a query. */
export const MAX_NEIGHBOURS = 16;

/** Index that stands for "no row": there are fewer than k to find. */
export const NO_ROW = 0xffffffff;

/** Queries `[queries, dim]` and one binding's rows of the bank, in groups. */
export interface SearchRefineSizes {
  /** Number of queries. */
  readonly queries: number;
  /** Elements of a row, a multiple of 4. */
  readonly dim: number;
  /** Bank rows of this dispatch. */
  readonly rows: number;
  /** First row of this dispatch within the tensor `bank`. */
  readonly first: number;
  /** Index of that row in the whole bank. */
  readonly base: number;
  /** Panels a group has 8 rows of. */
  readonly panelsPerGroup: number;
  /** Groups of `least`. */
  readonly groups: number;
  /** Neighbours to find, 1 to {@linkcode MAX_NEIGHBOURS}. */
  readonly k: number;
  /** Whether this is the first dispatch of the search. */
  readonly start: boolean;
  /** Whether rows of the query's own image are left out. */
  readonly exclude: boolean;
  /** Relative rounding error of the bounds. */
  readonly slack: number;
  /** Distance by which the bounded rows may differ from the bank's. */
  readonly radius?: number;
  /** Lanes of a workgroup: 8 or a multiple of it. */
  readonly lanes: number;
}

/**
 * The k nearest bank rows of each query, exactly: groups of rows in the order of
 * their lower bounds, measured by direct differences until no bound is lower
 * than the k-th distance. Ties go to the lowest index.
 */
export const searchRefine: Kernel<
  SearchRefineSizes,
  | "queries"
  | "query_norms"
  | "bank"
  | "images"
  | "query_images"
  | "least"
  | "distances"
  | "indices"
> = defineKernel({
  name: "search_refine",
  source,
  plan(sizes) {
    return {
      params: {
        queries: sizes.queries,
        dim4: sizes.dim / 4,
        rows: sizes.rows,
        first: sizes.first,
        base: sizes.base,
        panels_per_group: sizes.panelsPerGroup,
        groups: sizes.groups,
        k: sizes.k,
        start: Number(sizes.start),
        slack: sizes.slack,
        radius: sizes.radius ?? 0,
      },
      overrides: { LANES: sizes.lanes, EXCLUDE: Number(sizes.exclude) },
      workgroups: gridFor(sizes.queries),
    };
  },
});
