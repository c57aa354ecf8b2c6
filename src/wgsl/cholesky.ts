import diagonalSource from "./cholesky_diagonal.wgsl" with { type: "text" };
import solveSource from "./cholesky_solve.wgsl" with { type: "text" };
import updateSource from "./cholesky_update.wgsl" with { type: "text" };
import { packedTriangle, PANEL_COLUMNS } from "./covariance.ts";
import { defineKernel, type Kernel } from "./kernel.ts";

/** Sizes of one step of the factorisation of many matrices at once. */
export interface CholeskySizes {
  /** Rows of a matrix, a multiple of 16. */
  readonly dim: number;
  /** The panel of 16 columns that this step finishes. */
  readonly panel: number;
  /** Matrices, at most 65,535. */
  readonly positions: number;
  /** Lanes of a workgroup: 8 or more. */
  readonly lanes: number;
}

/** A step that also says what is factored: `scale · A + ridge · I`. */
export interface CholeskyUpdateSizes extends CholeskySizes {
  /** What the matrix is multiplied with first. */
  readonly scale: number;
  /** What is then added to its diagonal. */
  readonly ridge: number;
}

/**
 * Takes the finished panels of a Cholesky factorisation out of the next one.
 * A step is this, {@linkcode choleskyDiagonal}, {@linkcode choleskySolve}.
 */
export const choleskyUpdate: Kernel<CholeskyUpdateSizes, "factors"> =
  defineKernel({
    name: "cholesky_update",
    source: updateSource,
    plan({ dim, panel, positions, lanes, scale, ridge }) {
      const rows4 = (dim - panel * PANEL_COLUMNS) / 4;
      return {
        params: {
          dim4: dim / 4,
          panel,
          packed4: packedTriangle(dim) / 4,
          scale,
          ridge,
        },
        overrides: { LANES: lanes },
        workgroups: [Math.ceil(rows4 / lanes), 1, positions],
      };
    },
  });

/**
 * Factors the diagonal block of a panel and leaves the inverse of the factor,
 * so that substitutions with it are products.
 */
export const choleskyDiagonal: Kernel<Omit<CholeskySizes, "lanes">> =
  defineKernel({
    name: "cholesky_diagonal",
    source: diagonalSource,
    plan({ dim, panel, positions }) {
      return {
        params: { dim, panel, packed: packedTriangle(dim), positions },
        workgroups: [Math.ceil(positions / 32), 1, 1],
      };
    },
  });

/** The rows of a panel below its diagonal block. */
export const choleskySolve: Kernel<CholeskySizes, "factors"> = defineKernel({
  name: "cholesky_solve",
  source: solveSource,
  plan({ dim, panel, positions, lanes }) {
    const below4 = (dim - (panel + 1) * PANEL_COLUMNS) / 4;
    return {
      params: { dim4: dim / 4, panel, packed4: packedTriangle(dim) / 4 },
      overrides: { LANES: lanes },
      workgroups: [Math.ceil(below4 / lanes), 1, positions],
    };
  },
});
