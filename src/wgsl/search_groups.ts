import bankBuffer from "./bank_buffer.wgsl" with { type: "text" };
import bankImage from "./bank_image.wgsl" with { type: "text" };
import type { Kernel } from "./kernel.ts";
import { PANEL_ROWS } from "./pack_rows.ts";
import interfacePart from "./search_groups/interface.wgsl" with {
  type: "text",
};
import subgroup8 from "./search_groups/tile_subgroup8.wgsl" with {
  type: "text",
};
import uniform from "./search_groups/tile_uniform.wgsl" with { type: "text" };

/** Sizes of {@linkcode searchGroups}. */
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

/** Groups that {@linkcode searchGroups} divides so many rows into. */
export function searchGroupCount(rows: number, panelsPerGroup: number): number {
  return Math.ceil(rows / (PANEL_ROWS * panelsPerGroup)) * 8;
}

function define(
  name: string,
  source: string,
  [queriesOfTile, lanes]: readonly [number, number],
): Kernel<SearchGroupsSizes> {
  return {
    name,
    source,
    bindings: {
      queries: "read",
      bank: "read",
      norms: "read",
      images: "read",
      query_images: "read",
      least: "read_write",
    },
    params: {
      queries: "u32",
      dim4: "u32",
      panels: "u32",
      panels_per_group: "u32",
      groups: "u32",
    },
    overrides: { EXCLUDE: 0 },
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
  };
}

/**
 * The least |b|² − 2 q·b of every group of bank rows, for each query: what an
 * exact search ranks groups by (see `search_refine`).
 */
export const searchGroups: Kernel<SearchGroupsSizes> = define(
  "search_groups",
  bankBuffer + interfacePart + uniform,
  [16, 64],
);

/** {@linkcode searchGroups} for subgroups of exactly 8 lanes. */
export const searchGroupsSubgroup8: Kernel<SearchGroupsSizes> = {
  ...define(
    "search_groups_subgroup8",
    bankBuffer + interfacePart + subgroup8,
    [32, 8],
  ),
  enables: ["subgroups"],
};

const ofImage = define(
  "search_groups_subgroup8_image",
  bankImage + interfacePart + subgroup8,
  [32, 8],
);

/** {@linkcode searchGroupsSubgroup8} where the bank is an image. */
export const searchGroupsSubgroup8Image: Kernel<SearchGroupsSizes> = {
  ...ofImage,
  bindings: { ...ofImage.bindings, bank: "image_f32" },
  enables: ["subgroups"],
};
