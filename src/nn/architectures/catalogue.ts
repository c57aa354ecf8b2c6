/**
 * torchvision's networks by name.
 *
 * @module
 */
import type { Architecture } from "./architecture.ts";
import { densenet } from "./densenet.ts";
import { resnet } from "./resnet.ts";

const CATALOGUE: Readonly<Record<string, (name: string) => Architecture>> = {
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
};

/** Names that {@linkcode architecture} knows. */
export const ARCHITECTURES: readonly string[] = Object.keys(CATALOGUE);

/**
 * The architecture of that name.
 *
 * @throws {RangeError} When there is none; the message lists those there are.
 */
export function architecture(name: string): Architecture {
  const make = Object.hasOwn(CATALOGUE, name) ? CATALOGUE[name] : undefined;
  if (make) return make(name);
  throw new RangeError(
    `Cannot build the network "${name}": known are ${ARCHITECTURES.join(", ")}`,
  );
}
