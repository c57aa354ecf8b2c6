import bankBuffer from "./bank_buffer.wgsl" with { type: "text" };
import bankImage from "./bank_image.wgsl" with { type: "text" };
import { defineKernel, type Kernel } from "./kernel.ts";
import { PANEL_ROWS } from "./pack_rows.ts";
import interfacePart from "./search_groups/interface.wgsl" with {
  type: "text",
};
import subgroup8 from "./search_groups/tile_subgroup8.wgsl" with {
  type: "text",
};
import type { Variants } from "./variants.ts";
import uniform from "./search_groups/tile_uniform.wgsl" with { type: "text" };

/** Queries `[queries, dim]`, and one binding's rows of the bank in panels. */
export interface SearchGroupsSizes {
  /** Number of queries. */
  readonly queries: number;
  /** Elements of a row, a multiple of 4. */
  readonly dim: number;
  /** Bank rows of this dispatch. */
  readonly rows: number;
  /** Panels a group has 8 rows of. */
  readonly panelsPerGroup: number;
  /** Whether rows of the query's own image are left out. */
  readonly exclude: boolean;
}

/** One form of {@linkcode searchGroups}; all bind what its `interface.wgsl` declares. */
export type SearchGroupsKernel = Kernel<
  SearchGroupsSizes,
  | "queries"
  | "bank"
  | "norms"
  | "images"
  | "query_images"
  | "least"
>;

/** Groups that {@linkcode searchGroups} divides so many rows into. */
export function searchGroupCount(rows: number, panelsPerGroup: number): number {
  return Math.ceil(rows / (PANEL_ROWS * panelsPerGroup)) * 8;
}

interface Variant {
  readonly name: string;
  readonly tile: string;
  /** Declares the binding `bank` and how it is read. */
  readonly bank: string;
  readonly queriesOfTile: number;
  readonly lanes: number;
}

function define(
  { name, tile, bank, queriesOfTile, lanes }: Variant,
): SearchGroupsKernel {
  return defineKernel({
    name,
    source: bank + interfacePart + tile,
    plan({ queries, dim, rows, panelsPerGroup, exclude }) {
      const groups = searchGroupCount(rows, panelsPerGroup);
      return {
        params: {
          queries,
          dim4: dim / 4,
          panels: Math.ceil(rows / PANEL_ROWS),
          panels_per_group: panelsPerGroup,
          groups,
        },
        overrides: { EXCLUDE: Number(exclude) },
        workgroups: [
          Math.ceil(queries / queriesOfTile),
          Math.ceil(groups / lanes),
          1,
        ],
      };
    },
  });
}

const portable = define({
  name: "search_groups",
  tile: uniform,
  bank: bankBuffer,
  queriesOfTile: 16,
  lanes: 64,
});

const BY_8 = {
  tile: subgroup8,
  queriesOfTile: 32,
  lanes: 8,
} as const;

/**
 * The least |b|² − 2 q·b of every group of bank rows, for each query: what an
 * exact search ranks groups by (see `search_refine`). Variants differ in whether
 * they read the bank as an image.
 */
export const searchGroups: Variants<
  SearchGroupsKernel
> = {
  portable,
  subgroup8: define({
    ...BY_8,
    name: "search_groups_subgroup8_image",
    bank: bankImage,
  }),
};

/** {@linkcode searchGroups} for a bank that kernels write: always a buffer. */
export const searchGroupsInBuffer: Variants<
  SearchGroupsKernel
> = {
  portable,
  subgroup8: define({
    ...BY_8,
    name: "search_groups_subgroup8",
    bank: bankBuffer,
  }),
};
