import { Mt19937, permutation } from "../settings/random.ts";

/** Folds that images are divided into, if there are groups enough. */
export const FOLDS = 20;

/**
 * Divides training images into folds, so that each can be scored against a bank
 * chosen without its fold. Images of a group (shots of one part, say) are in the
 * same fold; which groups share one is drawn at random.
 *
 * @param groups The group of each image, any key; images of their own have keys
 * of their own.
 * @param seed Of the draw.
 * @returns The fold of each image, from 0 up: as many folds as there are groups,
 * 20 at most. With fewer than two no image can be scored.
 */
export function foldsOf(
  groups: readonly unknown[],
  seed: number,
): { readonly folds: Uint32Array<ArrayBuffer>; readonly count: number } {
  const places = new Map<unknown, number>();
  for (const group of groups) {
    if (!places.has(group)) places.set(group, places.size);
  }
  const count = Math.min(FOLDS, places.size);
  const order = permutation(new Mt19937(seed), places.size);
  const folds = Uint32Array.from(
    groups,
    (group) => order[places.get(group)!]! % count,
  );
  return { folds, count };
}
