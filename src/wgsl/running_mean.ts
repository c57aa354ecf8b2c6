import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import source from "./running_mean.wgsl" with { type: "text" };

/** A batch of `count` rows for each position, and how many came before. */
export interface RunningMeanSizes {
  /** Positions. */
  readonly positions: number;
  /** Dimensions, a multiple of 4. */
  readonly dim: number;
  /** Rows of a position in `rows`, at least `count + 1`. */
  readonly slots: number;
  /** Rows of the batch. */
  readonly count: number;
  /** Rows that the means hold already. */
  readonly before: number;
}

/** Adds a batch to running means and centres it, see the WGSL text. */
export const runningMean: Kernel<RunningMeanSizes, "rows" | "means"> =
  defineKernel({
    name: "running_mean",
    source,
    plan({ positions, dim, slots, count, before }) {
      const total4 = positions * dim / 4;
      return {
        params: { total4, dim4: dim / 4, slots, count, before },
        workgroups: gridFor(Math.ceil(total4 / 64)),
      };
    },
  });
