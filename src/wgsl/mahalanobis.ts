import { packedTriangle } from "./covariance.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import source from "./mahalanobis.wgsl" with { type: "text" };

/** Images `[positions, slots, dim]`, and the positions whose factors are bound. */
export interface MahalanobisSizes {
  /** Dimensions, a multiple of 16. */
  readonly dim: number;
  /** Images to measure: the first rows of each position. */
  readonly images: number;
  /** Rows of a position in `rows`. */
  readonly slots: number;
  /** All positions: what `rows`, `means` and `distances` hold. */
  readonly positions: number;
  /** The first position of this dispatch. */
  readonly first: number;
  /** Positions of this dispatch: what `factors` holds, at most 65,535. */
  readonly count: number;
  /** Lanes of a workgroup: 8 or more. */
  readonly lanes: number;
}

/** Bytes of workgroup memory that {@linkcode mahalanobis} needs. */
export function mahalanobisWorkgroupBytes(dim: number, lanes: number): number {
  return 16 * (dim + 16 + lanes);
}

/** Mahalanobis distances by forward substitution with Cholesky factors. */
export const mahalanobis: Kernel<
  MahalanobisSizes,
  "rows" | "means" | "factors" | "distances"
> = defineKernel({
  name: "mahalanobis",
  source,
  plan({ dim, images, slots, positions, first, count, lanes }) {
    return {
      params: {
        images,
        stride: slots,
        first,
        positions,
        packed: packedTriangle(dim),
      },
      overrides: { DIM: dim, LANES: lanes },
      workgroups: [Math.ceil(images / 4), count, 1],
    };
  },
});
