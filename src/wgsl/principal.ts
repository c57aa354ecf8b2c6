import { gridFor } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import combine from "./principal_combine.wgsl" with { type: "text" };
import direction from "./principal_direction.wgsl" with { type: "text" };
import mean from "./principal_mean.wgsl" with { type: "text" };
import project from "./principal_project.wgsl" with { type: "text" };
import step from "./principal_step.wgsl" with { type: "text" };

/** Vectors of the Krylov space that a principal direction is looked for in. */
export const PRINCIPAL_STEPS = 24;

/** Sizes of the patch features of a batch. */
export interface PrincipalSizes {
  /** Images. */
  readonly images: number;
  /** Patches of an image. */
  readonly patches: number;
  /** Elements of a row, a multiple of 4. */
  readonly dim: number;
}

/** Means of each image's patches. */
export const principalMean: Kernel<PrincipalSizes, "x" | "mean"> = defineKernel(
  {
    name: "principal_mean",
    source: mean,
    plan: ({ images, patches, dim }) => ({
      params: { images, patches, dim4: dim / 4 },
      workgroups: gridFor(Math.ceil(images * dim / 4 / 64)),
    }),
  },
);

/** Which vectors {@linkcode principalProject} takes. */
export interface PrincipalProjectSizes extends PrincipalSizes {
  /** Whether numbers that look random take the place of projections. */
  readonly start?: boolean;
  /** Elements from one image's vectors to the next one's; `dim` by default. */
  readonly stride?: number;
  /** Where the vector begins among them, 0 by default. */
  readonly offset?: number;
}

/** Projections of patches onto a vector of their image. */
export const principalProject: Kernel<
  PrincipalProjectSizes,
  "x" | "mean" | "vectors" | "y"
> = defineKernel({
  name: "principal_project",
  source: project,
  plan: (
    { images, patches, dim, start = false, stride = dim, offset = 0 },
  ) => ({
    overrides: { START: Number(start) },
    params: {
      ...{ images, patches, dim4: dim / 4 },
      ...{ stride4: stride / 4, offset4: offset / 4 },
    },
    workgroups: gridFor(Math.ceil(images * patches / 64)),
  }),
});

/** Sums of each image's patches with a weight each. */
export const principalCombine: Kernel<
  PrincipalSizes,
  "x" | "mean" | "weights" | "rest"
> = defineKernel({
  name: "principal_combine",
  source: combine,
  plan: ({ images, patches, dim }) => ({
    params: { images, patches, dim4: dim / 4 },
    workgroups: gridFor(Math.ceil(images * dim / 4 / 64)),
  }),
});

/** A step of Lanczos' method. */
export const principalStep: Kernel<
  Pick<PrincipalSizes, "images" | "dim"> & {
    /** Vectors so far. */
    readonly known: number;
  },
  "rest" | "basis" | "matrix"
> = defineKernel({
  name: "principal_step",
  source: step,
  plan: ({ images, dim, known }) => ({
    params: { images, dim, known },
    workgroups: gridFor(images),
  }),
});

/** Directions of the largest variance, from the vectors of all steps. */
export const principalDirection: Kernel<
  Pick<PrincipalSizes, "images" | "dim">,
  "basis" | "matrix" | "direction"
> = defineKernel({
  name: "principal_direction",
  source: direction,
  plan: ({ images, dim }) => ({
    params: { images, dim },
    workgroups: gridFor(images),
  }),
});
