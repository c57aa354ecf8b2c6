import source from "./patch_pool.wgsl" with { type: "text" };
import { defineKernel, type Dispatch, type Kernel } from "./kernel.ts";

/** Patches of one line of the grid that a lane works on. */
const RUN = 8;

/** Where patch columns are written. */
export interface PatchTarget {
  /** Columns written. */
  readonly columns: number;
  /** The first of them in `y`. */
  readonly firstColumn: number;
  /** Columns of `y`. */
  readonly stride: number;
  /** Row of `y` of image 0's first patch; negative where `y` begins later. */
  readonly firstRow: number;
  /** Rows of `y`; patches beyond them are left out. */
  readonly rows: number;
  /** Columns of `y` below this one are added to, the others are written. */
  readonly addBelow: number;
}

/** Which patches are made of what, and where their columns are written. */
export interface PatchGridSizes extends PatchTarget {
  /** The first image of `x`. */
  readonly firstImage: number;
  /** Number of images. */
  readonly images: number;
  /** Size of `x`, `[height, width]` in pixels. */
  readonly input: readonly [number, number];
  /** Size of the patch grid, `[height, width]`. */
  readonly grid: readonly [number, number];
}

/** Sizes of the aggregation of one tap. */
export interface PatchPoolSizes extends PatchGridSizes {
  /** Channels of `x` with their padding, a multiple of 4. */
  readonly channels: number;
  /** Side of the neighbourhood, odd. */
  readonly patchSize: number;
  /** Distance between patches in pixels of `x`. */
  readonly step: number;
}

/** A dispatch of lanes that own one column of 8 patches. */
export function planPatches(sizes: PatchGridSizes): Dispatch {
  const { input, grid, columns, images } = sizes;
  const runs = Math.ceil(grid[1] / RUN);
  return {
    overrides: { ADD: Number(sizes.addBelow > sizes.firstColumn) },
    params: {
      height: input[0],
      width: input[1],
      grid_height: grid[0],
      grid_width: grid[1],
      runs,
      first_image: sizes.firstImage,
      columns,
      first_column: sizes.firstColumn,
      stride: sizes.stride,
      first_row: sizes.firstRow,
      rows: sizes.rows,
      add_below: sizes.addBelow,
    },
    workgroups: [Math.ceil(columns / 64), grid[0] * runs, images],
  };
}

/** Local aggregation of PatchCore (paper Eq. 2) as banded sums. */
export const patchPool: Kernel<
  PatchPoolSizes,
  "x" | "bands" | "weights" | "y"
> = defineKernel({
  name: "patch_pool",
  source,
  plan(sizes) {
    const { patchSize: side, channels, step } = sizes;
    const { overrides, params, workgroups } = planPatches(sizes);
    return {
      overrides: { ...overrides, NARROW: Number(side === 3 && step === 1) },
      params: { ...params, channels, side, pad: (side - 1) / 2, step },
      workgroups,
    };
  },
});
