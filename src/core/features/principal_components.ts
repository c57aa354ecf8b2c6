import type { Gpu, Program, Tensor } from "../../gpu/mod.ts";
import {
  PRINCIPAL_STEPS,
  principalCombine,
  principalDirection,
  principalMean,
  principalProject,
  type PrincipalSizes,
  principalStep,
} from "../../wgsl/principal.ts";

/**
 * Finds every patch's first principal component among the patches of its image,
 * in units of the features (`sklearn.decomposition.PCA(1)`), by Lanczos' method
 * with vectors that are made orthogonal again: two passes over the features for
 * each of 24 vectors.
 */
export class PrincipalComponents implements Disposable {
  readonly #sizes: PrincipalSizes;
  readonly #mean: Tensor;
  readonly #rest: Tensor;
  readonly #basis: Tensor;
  readonly #matrix: Tensor;
  readonly #owned: DisposableStack;

  /**
   * Allocates the working memory.
   *
   * @param sizes The most images of a batch, their patches and dimensions.
   */
  constructor(gpu: Gpu, sizes: PrincipalSizes) {
    const { images, dim } = sizes;
    using owned = new DisposableStack();
    const tensor = (shape: readonly number[], label: string): Tensor =>
      owned.use(gpu.tensor(shape, "f32", label));
    this.#sizes = sizes;
    this.#mean = tensor([images, dim], "means of patches");
    this.#rest = tensor([images, dim], "principal directions");
    this.#basis = tensor([images, PRINCIPAL_STEPS, dim], "Krylov vectors");
    this.#matrix = tensor(
      [images, PRINCIPAL_STEPS, PRINCIPAL_STEPS],
      "covariances along them",
    );
    this.#owned = owned.move();
  }

  /**
   * Records the dispatches for a batch.
   *
   * @param x Features `[≥ images · patches, dim]`.
   * @param components Where the components go, `[≥ images · patches]`.
   * @param images Images that count, from the first.
   */
  record(
    program: Program,
    x: Tensor,
    components: Tensor,
    images: number,
  ): void {
    const sizes = { ...this.#sizes, images };
    const { dim } = sizes;
    const mean = this.#mean;
    const rest = this.#rest;
    const basis = this.#basis;
    const matrix = this.#matrix;
    const step = (known: number): void => {
      program.dispatch(principalCombine, sizes, {
        x,
        mean,
        weights: components,
        rest,
      });
      program.dispatch(
        principalStep,
        { images, dim, known },
        { rest, basis, matrix },
      );
    };
    const project = (
      vectors: Tensor,
      where: { start?: boolean; stride?: number; offset?: number } = {},
    ): void => {
      program.dispatch(principalProject, { ...sizes, ...where }, {
        x,
        mean,
        vectors,
        y: components,
      });
    };
    program.dispatch(principalMean, sizes, { x, mean });
    project(rest, { start: true });
    step(0);
    for (let known = 1; known <= PRINCIPAL_STEPS; known++) {
      const offset = (known - 1) * dim;
      project(basis, { stride: PRINCIPAL_STEPS * dim, offset });
      step(known);
    }
    program.dispatch(
      principalDirection,
      { images, dim },
      { basis, matrix, direction: rest },
    );
    project(rest);
  }

  /** Frees the working memory. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}
