import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import { measureParams, type SearchMeasureSizes } from "./search_finish.ts";
import source from "./search_refine.wgsl" with { type: "text" };

/** The most neighbours {@linkcode searchRefine} finds of a query. */
export const MAX_NEIGHBOURS = 16;

/** Index that stands for "no row": there are fewer than k to find. */
export const NO_ROW = 0xffffffff;

/** Queries `[queries, dim]` and one binding's rows of the bank, in groups. */
export interface SearchRefineSizes extends SearchMeasureSizes {
  /** Panels a group has 8 rows of. */
  readonly panelsPerGroup: number;
  /** Whether rows of the query's own image are left out. */
  readonly exclude: boolean;
  /** Relative rounding error of the bounds. */
  readonly slack: number;
  /** Distance by which the bounded rows may differ from the bank's. */
  readonly radius?: number;
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
        ...measureParams(sizes),
        dim4: sizes.dim / 4,
        panels_per_group: sizes.panelsPerGroup,
        slack: sizes.slack,
        radius: sizes.radius ?? 0,
      },
      overrides: { LANES: sizes.lanes, EXCLUDE: Number(sizes.exclude) },
      workgroups: gridFor(sizes.queries),
    };
  },
});
