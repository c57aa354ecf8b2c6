import source from "./gather_columns.wgsl" with { type: "text" };
import { defineKernel, type Kernel } from "./kernel.ts";

/** Images `[images, positions, stride]` that become `[positions, slots, dim]`. */
export interface GatherColumnsSizes {
  /** Positions: rows of an image in `x`, at most 65,535. */
  readonly positions: number;
  /** Elements of a row of `x`. */
  readonly stride: number;
  /** Columns to gather. */
  readonly count: number;
  /** Elements of a row of `y`, at least `count`. */
  readonly dim: number;
  /** Rows of a position in `y`. */
  readonly slots: number;
  /** First image in `x`. */
  readonly firstImage: number;
  /** Its row within each position of `y`. */
  readonly firstSlot: number;
  /** Images to gather. */
  readonly images: number;
}

/** Listed columns of every image's rows, sorted by position. */
export const gatherColumns: Kernel<GatherColumnsSizes, "x" | "columns" | "y"> =
  defineKernel({
    name: "gather_columns",
    source,
    plan(sizes) {
      const { positions, stride, count, dim, slots, firstImage } = sizes;
      return {
        params: {
          positions,
          stride,
          count,
          dim,
          slots,
          first_image: firstImage,
          first_slot: sizes.firstSlot,
        },
        workgroups: [Math.ceil(dim / 64), positions, sizes.images],
      };
    },
  });
