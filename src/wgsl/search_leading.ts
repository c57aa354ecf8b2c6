import bankBuffer from "./bank_buffer.wgsl" with { type: "text" };
import bankImage from "./bank_image.wgsl" with { type: "text" };
import type { Access, Kernel } from "./kernel.ts";
import { PANEL_ROWS } from "./pack_rows.ts";
import least from "./search_leading/least.wgsl" with { type: "text" };
import narrow from "./search_leading/narrow.wgsl" with { type: "text" };
import tile from "./search_leading/tile.wgsl" with { type: "text" };
import subgroup8 from "./search_leading/tile_subgroup8.wgsl" with {
  type: "text",
};
import uniform from "./search_leading/tile_uniform.wgsl" with { type: "text" };

/** Queries of a workgroup. */
const QUERIES = 16;

/** Groups of a workgroup of `search_narrow`. */
const SEGMENT = 512;

/** Sizes of {@linkcode searchLeading}. */
export interface SearchLeadingSizes {
  /** Number of queries. */
  readonly queries: number;
  /** Elements of a row that are compared, a multiple of 4. */
  readonly dim: number;
  /** Elements of a row, a multiple of 4; `dim` by default. */
  readonly stride?: number;
  /** Bank rows of this dispatch. */
  readonly rows: number;
  /** Whether rows of the query's own image are left out. */
  readonly exclude: boolean;
}

/** Sizes of {@linkcode searchNarrow}. */
export interface SearchNarrowSizes extends SearchLeadingSizes {
  /** Neighbours of a query in `distances`. */
  readonly k: number;
  /** Relative rounding error of the bounds. */
  readonly slack: number;
  /** What a distance of compared rows may be too large by. */
  readonly radius: number;
  /** Share of it that it may be too large by on top. */
  readonly stretch: number;
}

/** Groups of 8 that {@linkcode searchLeading} divides so many rows into. */
export function leadingGroupCount(rows: number): number {
  return Math.ceil(rows / PANEL_ROWS) * 8;
}

/** What a square must be multiplied with that a distance was stretched in. */
export function shrinkOf(stretch: number): number {
  return (1 - 2 ** -20) / (1 + stretch) ** 2;
}

const PANELS: Readonly<Record<string, Access>> = {
  queries: "read",
  bank: "read",
  norms: "read",
  images: "read",
  query_images: "read",
};

function defineLeading(
  name: string,
  part: string,
  lanes: number,
): Kernel<SearchLeadingSizes> {
  return {
    name,
    source: tile + part + least,
    bindings: { ...PANELS, least: "read_write" },
    params: { queries: "u32", dim4: "u32", stride4: "u32", groups: "u32" },
    overrides: { EXCLUDE: 0 },
    plan({ queries, dim, stride = dim, rows, exclude }) {
      const groups = leadingGroupCount(rows);
      return {
        params: { queries, dim4: dim / 4, stride4: stride / 4, groups },
        overrides: { EXCLUDE: Number(exclude) },
        workgroups: [
          Math.ceil(queries / QUERIES),
          Math.ceil(groups / lanes),
          1,
        ],
      };
    },
  };
}

/**
 * The least |b|² − 2 q·b of every 8 bank rows, for each query, along the first of
 * their dimensions: what `search_nearest` and `search_narrow` choose groups by.
 */
export const searchLeading: Kernel<SearchLeadingSizes> = defineLeading(
  "search_leading",
  bankBuffer + uniform,
  64,
);

const leadingBy8 = defineLeading(
  "search_leading_subgroup8",
  bankImage + subgroup8,
  8,
);

/** {@linkcode searchLeading} for subgroups of exactly 8 lanes; `bank` is an image. */
export const searchLeadingSubgroup8: Kernel<SearchLeadingSizes> = {
  ...leadingBy8,
  bindings: { ...leadingBy8.bindings, bank: "image_f32" },
  enables: ["subgroups"],
};

function defineNarrow(name: string, part: string): Kernel<SearchNarrowSizes> {
  return {
    name,
    source: tile + part + narrow,
    bindings: {
      ...PANELS,
      query_norms: "read",
      distances: "read",
      near: "read_write",
    },
    params: {
      queries: "u32",
      dim4: "u32",
      stride4: "u32",
      groups: "u32",
      k: "u32",
      padded: "u32",
      slack: "f32",
      radius: "f32",
      shrink: "f32",
    },
    overrides: { EXCLUDE: 0 },
    plan({ queries, dim, stride = dim, rows, exclude, k, ...errors }) {
      const { slack, radius, stretch } = errors;
      const groups = leadingGroupCount(rows);
      const padded = Math.ceil(queries / PANEL_ROWS) * PANEL_ROWS;
      const shrink = shrinkOf(stretch);
      return {
        params: {
          ...{ queries, dim4: dim / 4, stride4: stride / 4 },
          ...{ groups, k, padded },
          ...{ slack, radius, shrink },
        },
        overrides: { EXCLUDE: Number(exclude) },
        workgroups: [
          Math.ceil(queries / QUERIES),
          Math.ceil(groups / SEGMENT),
          1,
        ],
      };
    },
  };
}

/**
 * Which rows may still be among a query's k nearest: the groups that
 * `search_leading` did not rule out are compared along more dimensions.
 */
export const searchNarrow: Kernel<SearchNarrowSizes> = defineNarrow(
  "search_narrow",
  bankBuffer + uniform,
);

const narrowBy8 = defineNarrow(
  "search_narrow_subgroup8",
  bankImage + subgroup8,
);

/** {@linkcode searchNarrow} for subgroups of exactly 8 lanes; `bank` is an image. */
export const searchNarrowSubgroup8: Kernel<SearchNarrowSizes> = {
  ...narrowBy8,
  bindings: { ...narrowBy8.bindings, bank: "image_f32" },
  enables: ["subgroups"],
};
