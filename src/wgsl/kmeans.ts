import assignSource from "./kmeans_assign.wgsl" with { type: "text" };
import updateSource from "./kmeans_update.wgsl" with { type: "text" };
import { roundUp } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";

/** Codewords of a codebook with the padding that {@linkcode kmeansAssign} needs. */
export function paddedCodewords(codewords: number): number {
  return roundUp(codewords, 16);
}

/** Sizes that both steps of k-means share. */
export interface KmeansSizes {
  /** Number of rows. */
  readonly rows: number;
  /** Elements of a row. */
  readonly dim: number;
  /** Sub-quantisers, a divisor of `dim`; 1 clusters whole rows. */
  readonly subs: number;
  /** Codewords of a sub-quantiser, at most 65,535. */
  readonly codewords: number;
  /** Lanes of a workgroup: 8 or more. */
  readonly lanes: number;
}

/** Rows of a chunk to assign, from `first` on. */
export interface KmeansAssignSizes extends KmeansSizes {
  /** First row; 0 by default. */
  readonly first?: number;
}

/** The nearest codeword of every row in every sub-quantiser. */
export const kmeansAssign: Kernel<
  KmeansAssignSizes,
  "rows" | "codebooks" | "codes"
> = defineKernel({
  name: "kmeans_assign",
  source: assignSource,
  plan({ rows, dim, subs, codewords, lanes, first = 0 }) {
    return {
      params: {
        rows,
        first,
        dim,
        dims: dim / subs,
        subs,
        codewords,
        padded4: paddedCodewords(codewords) / 4,
      },
      overrides: { LANES: lanes },
      workgroups: [Math.ceil(rows / (4 * lanes)), subs, 1],
    };
  },
});

/** The means of the rows that were assigned to each codeword. */
export const kmeansUpdate: Kernel<
  KmeansSizes,
  "rows" | "order" | "offsets" | "codebooks"
> = defineKernel({
  name: "kmeans_update",
  source: updateSource,
  plan({ rows, dim, subs, codewords, lanes }) {
    return {
      params: {
        rows,
        dim,
        dims: dim / subs,
        codewords,
        padded: paddedCodewords(codewords),
      },
      overrides: { LANES: lanes },
      workgroups: [codewords, subs, 1],
    };
  },
});
