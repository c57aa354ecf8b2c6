import { expand } from "./expand.ts";
import { gridFor } from "./grid.ts";
import type { Access, Kernel } from "./kernel.ts";
import { PANEL_ROWS } from "./pack_rows.ts";
import interfacePart from "./coreset_rule_out/interface.wgsl" with {
  type: "text",
};
import subgroup8 from "./coreset_rule_out/tile_subgroup8.wgsl" with {
  type: "text",
};
import type { Variants } from "./variants.ts";
import uniform from "./coreset_rule_out/tile_uniform.wgsl" with {
  type: "text",
};

/** Rows of one piece along `axes`, new centres, and the errors of both. */
export interface CoresetRuleOutSizes {
  /** Rows in the panels. */
  readonly rows: number;
  /** Row of `anchors` that row 0 of the panels is. */
  readonly base: number;
  /** Axes that rows are compared along, a multiple of 4. */
  readonly axes: number;
  /** New centres. */
  readonly count: number;
  /** Panel of `alive` that panel 0 is. */
  readonly to: number;
  /** Words of `alive` for each panel: at least `count / 32`. */
  readonly words: number;
  /** Whether each row's nearest centres of two folds are followed too. */
  readonly folds: boolean;
  /** Relative rounding error of the squares. */
  readonly slack: number;
  /** What a distance along the axes may be too large by. */
  readonly radius: number;
  /** Share of it that it may be too large by on top. */
  readonly stretch: number;
}

/** One form of {@linkcode coresetRuleOut}; all bind what its `interface.wgsl` declares. */
export type CoresetRuleOutKernel = Kernel<
  CoresetRuleOutSizes,
  | "packed"
  | "row_norms"
  | "centres"
  | "centre_norms"
  | "anchors"
  | "nearest"
  | "alive"
>;

interface Variant {
  readonly name: string;
  readonly tile: string;
  readonly packed?: Access;
  readonly enables?: Kernel<never>["enables"];
  readonly lanes: number;
}

function define(
  { name, tile, packed = "read", enables = [], lanes }: Variant,
): CoresetRuleOutKernel {
  return {
    name,
    enables,
    get source() {
      return expand(interfacePart + tile);
    },
    bindings: {
      packed,
      row_norms: "read",
      centres: "read",
      centre_norms: "read",
      anchors: "read",
      nearest: "read",
      alive: "read_write",
    },
    params: {
      rows: "u32",
      base: "u32",
      axes4: "u32",
      panels: "u32",
      count: "u32",
      to: "u32",
      words: "u32",
      slack: "f32",
      radius: "f32",
      stretch: "f32",
    },
    overrides: { FOLDS: 0 },
    plan({ rows, base, axes, count, to, words, folds, ...errors }) {
      const panels = Math.ceil(rows / PANEL_ROWS);
      const { slack, radius } = errors;
      const stretch = (1 + errors.stretch) * (1 + 2 ** -20);
      return {
        params: {
          ...{ rows, base, axes4: axes / 4, panels, count, to, words },
          ...{ slack, radius, stretch },
        },
        overrides: { FOLDS: Number(folds) },
        workgroups: gridFor(Math.ceil(panels * 8 / lanes)),
      };
    },
  };
}

/** Tells for each panel which new centres may bring an anchor down. */
export const coresetRuleOut: Variants<
  CoresetRuleOutKernel
> = {
  portable: define({ name: "coreset_rule_out", tile: uniform, lanes: 64 }),
  subgroup8: define({
    name: "coreset_rule_out_subgroup8",
    tile: subgroup8,
    packed: "image_f32",
    enables: ["subgroups"],
    lanes: 8,
  }),
};
