import { defineKernel, type Kernel } from "./kernel.ts";
import source from "./sample_mean.wgsl" with { type: "text" };

const MOST_SAMPLES = 1024;

/** Rows `[rows, dim]` to take the mean of. */
export interface SampleMeanSizes {
  /** Number of rows; at most 1,024 of them, evenly spaced, are used. */
  readonly rows: number;
  /** Elements of a row, a multiple of 4. */
  readonly dim: number;
}

/** The mean of some rows, to take the bulk out of rows before products. */
export const sampleMean: Kernel<SampleMeanSizes, "rows" | "mean"> =
  defineKernel({
    name: "sample_mean",
    source,
    plan({ rows, dim }) {
      const step = Math.max(1, Math.floor(rows / MOST_SAMPLES));
      const samples = Math.floor((rows - 1) / step) + 1;
      return {
        params: { dim4: dim / 4, samples, step },
        workgroups: [Math.ceil(dim / 32), 1, 1],
      };
    },
  });
