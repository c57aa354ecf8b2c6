import { Mt19937, permutation } from "../settings/random.ts";

/** Folds that many groups are divided into. */
export const FOLDS = 20;

/** So few groups have a fold each: a bank that lacks more scores too high. */
export const GROUPS_ALONE = 50;

/**
 * Divides training images into folds, so that each can be scored against a bank
 * chosen without its fold. Images of a group (shots of one part, say) are in the
 * same fold; which groups share one is drawn at random.
 *
 * @param groups The group of each image, any key; images of their own have keys
 * of their own.
 * @param seed Of the draw.
 * @returns The fold of each image, from 0 up: one for each group up to 50, else
 * 20. With fewer than two no image can be scored.
 */
export function foldsOf(
  groups: readonly unknown[],
  seed: number,
): { readonly folds: Uint32Array<ArrayBuffer>; readonly count: number } {
  const places = new Map<unknown, number>();
  for (const group of groups) {
    if (!places.has(group)) places.set(group, places.size);
  }
  const count = places.size <= GROUPS_ALONE ? places.size : FOLDS;
  const order = permutation(new Mt19937(seed), places.size);
  const folds = Uint32Array.from(
    groups,
    (group) => order[places.get(group)!]! % count,
  );
  return { folds, count };
}
