/**
 * The tiny transformers of the goldens, described as whole ones are.
 *
 * @module
 */
import type {
  Architecture,
  Positions,
} from "../../../src/nn/architectures/architecture.ts";
import { visionTransformer } from "../../../src/nn/architectures/vision_transformer.ts";

/** Dimensions, heads and blocks of most of them. */
export const TINY = { dim: 32, heads: 2, depth: 2 } as const;

/** The tiny networks of the goldens. */
export const TINY_TRANSFORMERS: Readonly<
  Record<string, (positions?: Positions) => Architecture>
> = {
  dinov2: (positions = "hub") =>
    visionTransformer({
      ...{ name: "dinov2", family: "dinov2", patch: 14, grid: 5, positions },
      ...{ dim: 48, heads: 3, depth: 3 },
    }),
  dinov2_hf: (positions = "transformers") =>
    visionTransformer({
      ...{ name: "dinov2_hf", family: "dinov2", patch: 14, grid: 5, positions },
      ...TINY,
    }),
  dinov2_reg: (positions = "hub") =>
    visionTransformer({
      ...{ name: "dinov2_reg", family: "dinov2", patch: 14, grid: 5 },
      ...{ registers: 4, positions },
      ...TINY,
    }),
  dinov2_swiglu: (positions = "hub") =>
    visionTransformer({
      ...{ name: "dinov2_swiglu", family: "dinov2", patch: 14, grid: 5 },
      ...{ positions, hidden: 88, feedForward: "packed_gate" },
      ...TINY,
    }),
  dinov3: (positions = "hub") =>
    visionTransformer({
      ...{ name: "dinov3", family: "dinov3", patch: 16, registers: 4 },
      ...{ positions, ...TINY },
    }),
  dinov3_plus: (positions = "hub") =>
    visionTransformer({
      ...{ name: "dinov3_plus", family: "dinov3", patch: 16, registers: 4 },
      ...{ positions, hidden: 128, feedForward: "gate", ...TINY },
    }),
  torchvision: () =>
    visionTransformer({
      ...{ name: "torchvision", family: "torchvision", patch: 16, grid: 4 },
      ...{ dim: 24, heads: 2, depth: 2 },
    }),
  deit_distilled: () =>
    visionTransformer({
      ...{ name: "deit_distilled", family: "deit", patch: 16, grid: 4 },
      ...{ distilled: true, dim: 24, heads: 2, depth: 2 },
    }),
};
