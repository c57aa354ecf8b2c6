import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import gather from "./coreset_gather.wgsl" with { type: "text" };
import histogram from "./coreset_histogram.wgsl" with { type: "text" };
import select from "./coreset_select.wgsl" with { type: "text" };
import threshold from "./coreset_threshold.wgsl" with { type: "text" };

/** Bins that `coreset_histogram` counts into. */
export const CORESET_BINS = 65_536;

/** Passes of `coreset_histogram` and `coreset_threshold`. */
export const CORESET_LEVELS = 3;

const MOST_WORKGROUPS = 1024;

/** One of the passes that find the anchor from which on rows are selected. */
export interface CoresetHistogramSizes {
  /** Rows in all. */
  readonly rows: number;
  /** The pass, 0 to 2. */
  readonly level: number;
  /** Rows that may be selected at most. */
  readonly capacity: number;
}

function shiftFor(rows: number): number {
  return Math.max(0, Math.ceil(Math.log2(rows / CORESET_BINS)));
}

/** Counts rows by their anchors, to find those that are farthest. */
export const coresetHistogram: Kernel<
  CoresetHistogramSizes,
  "anchors" | "state" | "bins"
> = defineKernel({
  name: "coreset_histogram",
  source: histogram,
  plan({ rows, level }) {
    return {
      params: { rows, level, shift: shiftFor(rows) },
      workgroups: gridFor(Math.min(Math.ceil(rows / 64), MOST_WORKGROUPS)),
    };
  },
});

/** Turns the counts of one pass into the bound of what is selected. */
export const coresetThreshold: Kernel<CoresetHistogramSizes, "bins" | "state"> =
  defineKernel({
    name: "coreset_threshold",
    source: threshold,
    plan({ rows, level, capacity }) {
      return {
        params: { level, shift: shiftFor(rows), capacity },
        workgroups: [1, 1, 1],
      };
    },
  });

/** Rows to choose from, and how many there is room for. */
export interface CoresetSelectSizes {
  /** Rows in all. */
  readonly rows: number;
  /** Whether `index` tells what rows they are. */
  readonly indexed: boolean;
  /** Rows that may be selected at most. */
  readonly capacity: number;
}

/** Lists the rows that the threshold selects, with their anchors. */
export const coresetSelect: Kernel<
  CoresetSelectSizes,
  "anchors" | "state" | "index" | "candidates" | "refined"
> = defineKernel({
  name: "coreset_select",
  source: select,
  plan({ rows, indexed, capacity }) {
    return {
      params: { rows, capacity },
      overrides: { INDEXED: Number(indexed) },
      workgroups: gridFor(Math.min(Math.ceil(rows / 64), MOST_WORKGROUPS)),
    };
  },
});

/** A chunk `[rows, dim]`, of which selected rows go to the candidates' panels. */
export interface CoresetGatherSizes {
  /** Index of the chunk's first row in the whole row set. */
  readonly base: number;
  /** Rows of the chunk. */
  readonly rows: number;
  /** Elements of a row, a multiple of 4. */
  readonly dim: number;
  /** Rows that may be selected at most. */
  readonly capacity: number;
}

/** Packs the listed rows of one chunk into panels. */
export const coresetGather: Kernel<
  CoresetGatherSizes,
  "rows" | "candidates" | "state" | "packed"
> = defineKernel({
  name: "coreset_gather",
  source: gather,
  plan({ base, rows, dim, capacity }) {
    return {
      params: { base, count: rows, dim4: dim / 4, capacity },
      workgroups: gridFor(Math.ceil(capacity * (dim / 4) / 64)),
    };
  },
});
