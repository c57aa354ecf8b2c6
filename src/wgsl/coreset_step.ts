import { defineKernel, type Kernel } from "./kernel.ts";
import { PANEL_ROWS } from "./pack_rows.ts";
import source from "./coreset_step.wgsl" with { type: "text" };

const MOST_WORKGROUPS = 256;

/** Words of the buffer `state` of the coreset kernels, by meaning. */
export const CORESET_STATE = {
  /** Picks made, after an even number of steps. */
  count: 0,
  /** Whether steps do nothing any more, after an even number of steps. */
  done: 1,
  /** Bits of the least anchor that still may be picked. */
  least: 8,
  /** With that very anchor, only rows below this may be picked. */
  cut: 9,
  /** Bits of the least anchor that may be picked whatever is selected. */
  floor: 13,
  /** Words in all. */
  size: 16,
} as const;

/** Rows `[rows, dim]` in one piece, and what this pick reads and leaves. */
export interface CoresetStepSizes {
  /** Rows to pick from. */
  readonly rows: number;
  /** Elements of a row, a multiple of 4. */
  readonly dim: number;
  /** Picks to make in all. */
  readonly limit: number;
  /** Which maxima and counters to read: 0 or 1, by turns. */
  readonly parity: number;
  /** Whether to pick; otherwise only the maxima are found, with parity 1. */
  readonly pick: boolean;
  /** Whether rows are candidates of `coreset_select`, and picks are stored. */
  readonly store: boolean;
  /** Lanes of a workgroup, a power of 2, at least 8. */
  readonly lanes: number;
}

/** Workgroups that {@linkcode coresetStep} runs, for the size of `maxima`. */
export function coresetStepWorkgroups(rows: number, lanes: number): number {
  const busy = Math.ceil(Math.ceil(rows / PANEL_ROWS) * 8 / lanes);
  return Math.min(busy, MOST_WORKGROUPS);
}

/** One pick of the greedy coreset, ties to the lowest index (paper, Eq. 5). */
export const coresetStep: Kernel<
  CoresetStepSizes,
  "packed" | "rows" | "anchors" | "maxima" | "state" | "picks" | "centres"
> = defineKernel({
  name: "coreset_step",
  source,
  plan({ rows, dim, limit, parity, pick, store, lanes }) {
    const workgroups = coresetStepWorkgroups(rows, lanes);
    return {
      params: {
        count: rows,
        dim,
        panels: Math.ceil(rows / PANEL_ROWS),
        limit,
        parity,
        pick: Number(pick),
        workgroups,
      },
      overrides: { LANES: lanes, STORE: Number(store) },
      workgroups: [workgroups, 1, 1],
    };
  },
});
