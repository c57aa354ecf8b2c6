import source from "./ivf_scan.wgsl" with { type: "text" };
import type { Kernel } from "./kernel.ts";

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
> = {
  name: "ivf_scan",
  source,
  bindings: {
    products: "read_write",
    norms: "read",
    offsets: "read",
    ids: "read",
    codes: "read",
    terms: "read",
    tables: "read",
    indices: "read_write",
  },
  params: {
    first: "u32",
    lists: "u32",
    padded: "u32",
    probes: "u32",
    words: "u32",
    codewords: "u32",
  },
  overrides: {},
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
};
