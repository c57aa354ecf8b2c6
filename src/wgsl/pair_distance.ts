import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import source from "./pair_distance.wgsl" with { type: "text" };

/** Two chunks of row sets; pairs are told by indices in the whole sets. */
export interface PairDistanceSizes {
  /** Rows of the chunk `x`. */
  readonly rows: number;
  /** Elements of a row, a multiple of 4. */
  readonly dim: number;
  /** Index of the first row of `x` in its whole set. */
  readonly first: number;
  /** Index of the first row of `y` in its whole set. */
  readonly otherFirst: number;
  /** Rows of the chunk `y`. */
  readonly otherRows: number;
  /** Whether pairs outside this chunk of `y` become far. */
  readonly fill: boolean;
}

/** Squared distances of given pairs of rows, by direct differences. */
export const pairDistance: Kernel<
  PairDistanceSizes,
  "x" | "pairs" | "y" | "distances"
> = defineKernel({
  name: "pair_distance",
  source,
  plan({ rows, dim, first, otherFirst, otherRows, fill }) {
    return {
      params: {
        rows,
        dim4: dim / 4,
        x_first: first,
        y_first: otherFirst,
        count: otherRows,
      },
      overrides: { FILL: Number(fill) },
      workgroups: gridFor(Math.ceil(rows / 64)),
    };
  },
});
