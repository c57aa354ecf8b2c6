import { expand } from "./expand.ts";
import { gridFor } from "./grid.ts";
import type { Kernel } from "./kernel.ts";
import { PANEL_ROWS } from "./pack_rows.ts";
import interfacePart from "./coreset_refresh/interface.wgsl" with {
  type: "text",
};
import subgroup8 from "./coreset_refresh/tile_subgroup8.wgsl" with {
  type: "text",
};
import type { Variants } from "./variants.ts";
import uniform from "./coreset_refresh/tile_uniform.wgsl" with { type: "text" };

/** Rows of one piece, and the centres from `first` to before `end`. */
export interface CoresetRefreshSizes {
  /** Rows in the panels. */
  readonly rows: number;
  /** Row of `anchors` that row 0 of the panels is. */
  readonly base: number;
  /** Elements of a row, a multiple of 4. */
  readonly dim: number;
  /** First new centre. */
  readonly first: number;
  /** The centre after the last new one. */
  readonly end: number;
  /** Whether each row's nearest centres of two folds are followed too. */
  readonly folds: boolean;
  /** Words of `alive` for each panel; 0 when all centres are measured. */
  readonly words: number;
}

/** One form of {@linkcode coresetRefresh}; all bind what its `interface.wgsl` declares. */
export type CoresetRefreshKernel = Kernel<
  CoresetRefreshSizes,
  | "packed"
  | "centres"
  | "anchors"
  | "folds"
  | "nearest"
  | "alive"
>;

interface Variant {
  readonly name: string;
  readonly tile: string;
  readonly enables?: Kernel<never>["enables"];
  readonly lanes: number;
}

function define(
  { name, tile, enables = [], lanes }: Variant,
): CoresetRefreshKernel {
  return {
    name,
    enables,
    get source() {
      return expand(interfacePart + tile);
    },
    bindings: {
      packed: "read",
      centres: "read",
      anchors: "read_write",
      folds: "read",
      nearest: "read_write",
      alive: "read",
    },
    params: {
      rows: "u32",
      base: "u32",
      dim4: "u32",
      panels: "u32",
      first: "u32",
      end: "u32",
      words: "u32",
    },
    overrides: { FOLDS: 0, RULED_OUT: 0 },
    plan({ rows, base, dim, first, end, folds, words }) {
      const panels = Math.ceil(rows / PANEL_ROWS);
      return {
        params: { rows, base, dim4: dim / 4, panels, first, end, words },
        overrides: { FOLDS: Number(folds), RULED_OUT: Number(words > 0) },
        workgroups: gridFor(Math.ceil(panels * 8 / lanes)),
      };
    },
  };
}

/** Brings all anchors up to date with many new centres in one pass. */
export const coresetRefresh: Variants<
  CoresetRefreshKernel
> = {
  portable: define({ name: "coreset_refresh", tile: uniform, lanes: 64 }),
  subgroup8: define({
    name: "coreset_refresh_subgroup8",
    tile: subgroup8,
    enables: ["subgroups"],
    lanes: 8,
  }),
};
