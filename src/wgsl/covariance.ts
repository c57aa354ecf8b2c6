import type { Variants } from "./variants.ts";
import source from "./covariance.wgsl" with { type: "text" };
import { roundUp } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";

/** Columns of a panel of a packed triangle, see {@linkcode covariance}. */
export const PANEL_COLUMNS = 16;

/**
 * Elements of the lower triangle of a matrix in panels of 16 columns.
 *
 * @param dim Rows of the matrix, a multiple of 16.
 */
export function packedTriangle(dim: number): number {
  const panels = dim / PANEL_COLUMNS;
  return PANEL_COLUMNS ** 2 * panels * (panels + 1) / 2;
}

/** The dimension with the padding that panels need. */
export function paddedToPanels(dim: number): number {
  return roundUp(dim, PANEL_COLUMNS);
}

/** A batch of rows for each position, and which positions are bound. */
export interface CovarianceSizes {
  /** Dimensions, a multiple of 16. */
  readonly dim: number;
  /** Rows of a position that count. */
  readonly count: number;
  /** Rows of a position in `rows`. */
  readonly slots: number;
  /** Position, in `rows`, of the first one in `sums`. */
  readonly first: number;
  /** Positions in `sums`, at most 65,535. */
  readonly positions: number;
  /** Whether `sums` are undefined before, and start at zero. */
  readonly start: boolean;
  /** Lanes of a workgroup: 8 or more. */
  readonly lanes: number;
}

/** Lanes of a workgroup that suit the kernels of packed triangles. */
export const TRIANGLE_LANES: Variants<number> = { portable: 32, subgroup8: 8 };

/** Adds the outer products of each position's rows to packed triangles. */
export const covariance: Kernel<CovarianceSizes, "rows" | "sums"> =
  defineKernel({
    name: "covariance",
    source,
    plan({ dim, count, slots, first, positions, start, lanes }) {
      return {
        params: {
          dim4: dim / 4,
          count,
          stride: slots,
          first,
          packed4: packedTriangle(dim) / 4,
          start: Number(start),
        },
        overrides: { LANES: lanes },
        workgroups: [
          Math.ceil(dim / 4 / lanes),
          dim / PANEL_COLUMNS,
          positions,
        ],
      };
    },
  });
