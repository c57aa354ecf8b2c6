import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import { PANEL_ROWS } from "./pack_rows.ts";
import source from "./coreset_start.wgsl" with { type: "text" };

/** Rows of one piece `[rows, dim]`, and the points they are measured from. */
export interface CoresetStartSizes {
  /** Rows in the panels. */
  readonly rows: number;
  /** Row of `anchors` that row 0 of the panels is. */
  readonly base: number;
  /** Elements of a row, a multiple of 4. */
  readonly dim: number;
  /** Start points. */
  readonly starts: number;
  /** Whether the start point is a pick. */
  readonly picked: boolean;
}

/** The anchors a greedy coreset starts from: mean distances to some points. */
export const coresetStart: Kernel<
  CoresetStartSizes,
  "packed" | "starts" | "anchors"
> = defineKernel({
  name: "coreset_start",
  source,
  plan({ rows, base, dim, starts, picked }) {
    const columns = Math.ceil(rows / PANEL_ROWS) * 16;
    return {
      params: {
        rows,
        base,
        dim4: dim / 4,
        columns,
        starts,
        picked: Number(picked),
      },
      workgroups: gridFor(Math.ceil(columns / 64)),
    };
  },
});
