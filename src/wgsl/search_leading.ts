import bankBuffer from "./bank_buffer.wgsl" with { type: "text" };
import bankImage from "./bank_image.wgsl" with { type: "text" };
import { defineKernel, type Kernel } from "./kernel.ts";
import { PANEL_ROWS } from "./pack_rows.ts";
import least from "./search_leading/least.wgsl" with { type: "text" };
import narrow from "./search_leading/narrow.wgsl" with { type: "text" };
import interfacePart from "./search_leading/tile.wgsl" with { type: "text" };
import subgroup8 from "./search_leading/tile_subgroup8.wgsl" with {
  type: "text",
};
import type { Variants } from "./variants.ts";
import uniform from "./search_leading/tile_uniform.wgsl" with { type: "text" };

/** Queries of a workgroup. */
const QUERIES = 16;

/** Groups of a workgroup of `search_narrow`. */
const SEGMENT = 512;

/** Queries, and one binding's rows of the bank, compared along the first `dim` axes. */
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

/** The same along more axes, with what the comparison may be wrong by. */
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

/** What both kernels bind: queries, and a bank in panels with what is known of it. */
export type PanelBinding =
  | "queries"
  | "bank"
  | "norms"
  | "images"
  | "query_images";

/** One form of {@linkcode searchLeading}, see `search_leading/least.wgsl`. */
export type SearchLeadingKernel = Kernel<
  SearchLeadingSizes,
  PanelBinding | "least"
>;

/** One form of {@linkcode searchNarrow}, see `search_leading/narrow.wgsl`. */
export type SearchNarrowKernel = Kernel<
  SearchNarrowSizes,
  PanelBinding | "query_norms" | "distances" | "near"
>;

interface Variant {
  readonly name: string;
  readonly tile: string;
  /** Declares the binding `bank` and how it is read. */
  readonly bank: string;
}

function defineLeading(
  { name, tile, bank, lanes }: Variant & { readonly lanes: number },
): SearchLeadingKernel {
  return defineKernel({
    name,
    source: interfacePart + bank + tile + least,
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
  });
}

/**
 * The least |b|² − 2 q·b of every 8 bank rows, for each query, along the first of
 * their dimensions: what `search_nearest` and `search_narrow` choose groups by.
 */
export const searchLeading: Variants<
  SearchLeadingKernel
> = {
  portable: defineLeading({
    name: "search_leading",
    tile: uniform,
    bank: bankBuffer,
    lanes: 64,
  }),
  subgroup8: defineLeading({
    name: "search_leading_subgroup8",
    tile: subgroup8,
    bank: bankImage,
    lanes: 8,
  }),
};

function defineNarrow(
  { name, tile, bank }: Variant,
): SearchNarrowKernel {
  return defineKernel({
    name,
    source: interfacePart + bank + tile + narrow,
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
  });
}

/**
 * Which rows may still be among a query's k nearest: the groups that
 * `search_leading` did not rule out are compared along more dimensions.
 */
export const searchNarrow: Variants<SearchNarrowKernel> = {
  portable: defineNarrow({
    name: "search_narrow",
    tile: uniform,
    bank: bankBuffer,
  }),
  subgroup8: defineNarrow({
    name: "search_narrow_subgroup8",
    tile: subgroup8,
    bank: bankImage,
  }),
};
