/**
 * Fits that outgrow their memory: images, budgets and detectors for tests.
 *
 * @module
 */
import {
  type NamedImage,
  PatchCore,
  type PatchCoreOptions,
} from "../../../../src/core/mod.ts";
import type { Gpu } from "../../../../src/gpu/mod.ts";
import {
  TINY_SETTINGS,
  tinyBackbone,
  tinyImages,
} from "../../../tiny_model.ts";

/** Share of the patches in the bank. */
export const RATIO = 0.005;
/** How the patches are thinned out. */
export const COARSE = {
  ratio: RATIO,
  projection: { kind: "linear", dim: 12 },
} as const;
/** Bytes for the fit of a part of the images. */
export const SMALL = 14e6;
/** Bytes for the projected features of all images, not for features. */
export const PROJECTED = 15.5e6;
/** Images to fit. */
export const IMAGES = tinyImages(24).train;
/** What they go through. */
export const BACKBONE = tinyBackbone();

/** Enough for a bank and some images beside what is there, not for 24 images. */
export function budget(gpu: Gpu, bytes = SMALL): number {
  gpu.pool.trim();
  return gpu.pool.bytes + bytes;
}

/** The images one after the other: they are not listed, so not held projected. */
export async function* stream(): AsyncGenerator<NamedImage> {
  for (const image of IMAGES) {
    await Promise.resolve();
    yield image;
  }
}
/** How many they are. */
export const COUNT = { count: IMAGES.length };

/** A detector with the tiny network. */
export async function create(
  gpu: Gpu,
  options: Partial<PatchCoreOptions> = {},
): Promise<PatchCore> {
  return await PatchCore.create({
    ...TINY_SETTINGS,
    resize: 128,
    coreset: COARSE,
    backbone: BACKBONE,
    allowRandom: true,
    batch: 4,
    gpu,
    ...options,
  });
}
