import source from "./ivf_scan.wgsl" with { type: "text" };
import { defineKernel, type Kernel } from "./kernel.ts";

/** A block of queries, and how the bank was quantised. */
export interface IvfScanSizes {
  /** First query of this dispatch. */
  readonly first: number;
  /** Queries of this dispatch, at most 65,535. */
  readonly queries: number;
  /** Inverted lists. */
  readonly lists: number;
  /** Elements of a row of `products`. */
  readonly paddedLists: number;
  /** Lists to scan. */
  readonly probes: number;
  /** Sub-quantisers, a multiple of 4. */
  readonly subs: number;
  /** Codewords of a table. */
  readonly paddedCodewords: number;
}

/** Scans inverted lists of product-quantised rows for each query's nearest. */
export const ivfScan: Kernel<
  IvfScanSizes,
  | "products"
  | "norms"
  | "offsets"
  | "ids"
  | "codes"
  | "terms"
  | "tables"
  | "indices"
> = defineKernel({
  name: "ivf_scan",
  source,
  plan(sizes) {
    return {
      params: {
        first: sizes.first,
        lists: sizes.lists,
        padded: sizes.paddedLists,
        probes: sizes.probes,
        words: sizes.subs / 4,
        codewords: sizes.paddedCodewords,
      },
      workgroups: [sizes.queries, 1, 1],
    };
  },
});
