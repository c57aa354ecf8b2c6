/**
 * Intermediates of the published PatchCore implementation on small images.
 *
 * @module
 */
import { readSafetensors } from "../src/nn/safetensors.ts";
import type { SharedPath } from "./testing.ts";

/** The cases of `shared/golden/patchcore`. */
export const GOLDEN_CASES = [
  "wide_resnet.default",
  "wide_resnet.knn5_p5",
  "resnet_basic.stride2",
  "densenet.blocks",
] as const;

/** Name of a case. */
export type GoldenCase = typeof GOLDEN_CASES[number];

/** One case: its settings and its tensors. */
export interface Golden {
  /** The settings as the file's metadata tells them. */
  readonly metadata: ReadonlyMap<string, string>;
  /** A float tensor. */
  floats(name: string): Float32Array;
  /** An integer tensor. */
  integers(name: string): number[];
  /** A tensor's shape. */
  shape(name: string): readonly number[];
  /** Test images in the case. */
  readonly images: number;
  /** Patch grid, `[height, width]`. */
  readonly grid: readonly [number, number];
}

/** Reads a case. */
export async function readGolden(
  shared: SharedPath,
  name: GoldenCase,
): Promise<Golden> {
  const path = shared("golden", "patchcore", `${name}.safetensors`);
  const { metadata, tensors } = readSafetensors(await Deno.readFile(path));
  const tensor = (key: string) => {
    const found = tensors.get(key);
    if (found === undefined) throw new Error(`No tensor "${key}" in ${path}`);
    return found;
  };
  const images = tensor("image_scores").shape[0]!;
  const side = Math.sqrt(tensor("nn_indices").shape[0]! / images);
  return {
    metadata,
    floats: (key) => tensor(key).data as Float32Array,
    integers: (key) =>
      Array.from(tensor(key).data as BigInt64Array, (value) => Number(value)),
    shape: (key) => tensor(key).shape,
    images,
    grid: [side, side],
  };
}
