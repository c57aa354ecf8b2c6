/**
 * Networks by name: torchvision's, and transformers by their publications'.
 *
 * @module
 */
import type { Architecture, Positions } from "./architecture.ts";
import { densenet } from "./densenet.ts";
import { resnet } from "./resnet.ts";
import { visionTransformer } from "./vision_transformer.ts";

/** What a name leaves open. */
export interface ArchitectureVariant {
  /** How a transformer's positions are fitted, `"hub"` by default. */
  readonly positions?: Positions;
  /** Blocks of a transformer that are kept, all by default. */
  readonly depth?: number;
}

type Make = (name: string, variant: ArchitectureVariant) => Architecture;

/** Tokens' dimensions, blocks and heads by size. */
const SIZES = {
  tiny: { dim: 192, depth: 12, heads: 3 },
  small: { dim: 384, depth: 12, heads: 6 },
  base: { dim: 768, depth: 12, heads: 12 },
  large: { dim: 1024, depth: 24, heads: 16 },
  giant: { dim: 1536, depth: 40, heads: 24 },
} as const;

type Size = keyof typeof SIZES;

function transformer(
  size: Size,
  options: Omit<
    Parameters<typeof visionTransformer>[0],
    "name" | "dim" | "depth" | "heads" | "until" | "positions"
  >,
): Make {
  return (name, { positions = "hub", depth }) => {
    const { depth: full } = SIZES[size];
    if (depth !== undefined && !(depth >= 1 && depth <= full)) {
      throw new RangeError(
        `Cannot keep ${depth} blocks of "${name}": it has ${full}`,
      );
    }
    return visionTransformer({
      ...{ name, positions },
      ...SIZES[size],
      ...options,
      ...(depth !== undefined && { until: depth }),
    });
  };
}

function dinov2(size: Size, registers = 0): Make {
  return transformer(size, {
    ...{ family: "dinov2", patch: 14, grid: 37, registers },
    ...(size === "giant" && { hidden: 4096, feedForward: "packed_gate" }),
  });
}

function dinov3(size: Size, gated = false): Make {
  return transformer(size, {
    ...{ family: "dinov3", patch: 16, registers: 4 },
    ...(gated && { hidden: 1536, feedForward: "gate" }),
  });
}

function dino(size: Size, patch: number): Make {
  return transformer(size, { family: "dino", patch, grid: 224 / patch });
}

function deit(size: Size, distilled = false): Make {
  return transformer(size, { family: "deit", patch: 16, grid: 14, distilled });
}

function torchvision(size: Size): Make {
  return transformer(size, { family: "torchvision", patch: 16, grid: 14 });
}

const CATALOGUE: Readonly<Record<string, Make>> = {
  resnet18: (name) => resnet({ name, block: "basic", blocks: [2, 2, 2, 2] }),
  resnet34: (name) => resnet({ name, block: "basic", blocks: [3, 4, 6, 3] }),
  resnet50: (name) =>
    resnet({ name, block: "bottleneck", blocks: [3, 4, 6, 3] }),
  resnet101: (name) =>
    resnet({ name, block: "bottleneck", blocks: [3, 4, 23, 3] }),
  resnet152: (name) =>
    resnet({ name, block: "bottleneck", blocks: [3, 8, 36, 3] }),
  wide_resnet50_2: (name) =>
    resnet({
      name,
      block: "bottleneck",
      blocks: [3, 4, 6, 3],
      widthPerGroup: 128,
    }),
  wide_resnet101_2: (name) =>
    resnet({
      name,
      block: "bottleneck",
      blocks: [3, 4, 23, 3],
      widthPerGroup: 128,
    }),
  resnext50_32x4d: (name) =>
    resnet({
      name,
      block: "bottleneck",
      blocks: [3, 4, 6, 3],
      groups: 32,
      widthPerGroup: 4,
    }),
  resnext101_32x8d: (name) =>
    resnet({
      name,
      block: "bottleneck",
      blocks: [3, 4, 23, 3],
      groups: 32,
      widthPerGroup: 8,
    }),
  densenet121: (name) => densenet({ name, blocks: [6, 12, 24, 16] }),
  densenet161: (name) =>
    densenet({ name, blocks: [6, 12, 36, 24], growth: 48 }),
  densenet169: (name) => densenet({ name, blocks: [6, 12, 32, 32] }),
  densenet201: (name) => densenet({ name, blocks: [6, 12, 48, 32] }),
  dinov2_vits14: dinov2("small"),
  dinov2_vitb14: dinov2("base"),
  dinov2_vitl14: dinov2("large"),
  dinov2_vitg14: dinov2("giant"),
  dinov2_vits14_reg4: dinov2("small", 4),
  dinov2_vitb14_reg4: dinov2("base", 4),
  dinov2_vitl14_reg4: dinov2("large", 4),
  dinov2_vitg14_reg4: dinov2("giant", 4),
  dinov3_vits16: dinov3("small"),
  dinov3_vits16plus: dinov3("small", true),
  dinov3_vitb16: dinov3("base"),
  dinov3_vitl16: dinov3("large"),
  dino_vits16: dino("small", 16),
  dino_vits8: dino("small", 8),
  dino_vitb16: dino("base", 16),
  dino_vitb8: dino("base", 8),
  deit_tiny: deit("tiny"),
  deit_small: deit("small"),
  deit_base: deit("base"),
  deit_tiny_distilled: deit("tiny", true),
  deit_small_distilled: deit("small", true),
  deit_base_distilled: deit("base", true),
  vit_b_16: torchvision("base"),
  vit_l_16: torchvision("large"),
};

/** Names that {@linkcode architecture} knows. */
export const ARCHITECTURES: readonly string[] = Object.keys(CATALOGUE);

/**
 * The architecture of that name.
 *
 * @param variant What the name leaves open; a convolutional network has no such
 * choice.
 * @throws {RangeError} When there is none; the message lists those there are.
 */
export function architecture(
  name: string,
  variant: ArchitectureVariant = {},
): Architecture {
  const make = Object.hasOwn(CATALOGUE, name) ? CATALOGUE[name] : undefined;
  if (make) return make(name, variant);
  throw new RangeError(
    `Cannot build the network "${name}": known are ${ARCHITECTURES.join(", ")}`,
  );
}
