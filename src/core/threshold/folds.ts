import { Mt19937, permutation } from "../settings/random.ts";

/** Folds that many groups are divided into. */
const FOLDS = 20;

/** So few groups have a fold each: a bank that lacks more scores too high. */
const GROUPS_ALONE = 50;

/**
 * The most folds that images can be divided into.
 *
 * @param images How many images there are.
 */
export function mostFolds(images: number): number {
  return images <= GROUPS_ALONE ? images : GROUPS_ALONE;
}

/** How training images are divided into folds. */
export interface Folds {
  /** The fold of each image, from 0 to 49. */
  readonly folds: Uint32Array<ArrayBuffer>;
  /** How many folds there are. */
  readonly count: number;
  /** The pattern that told images of a group, if there was one. */
  readonly groupBy?: string;
}

/**
 * Divides training images into folds, so that each can be scored against a bank
 * chosen without its fold. Images of a group (shots of one part, say) are in the
 * same fold; which groups share one is drawn at random. Groups that follow change
 * nothing where their number is expected, so that folds are known while images
 * still come.
 *
 * @param groups The group of each image, any key; images of their own have keys
 * of their own.
 * @param seed Of the draw.
 * @param expected How many groups there will be; by default those there are.
 * @returns The fold of each image, and how many folds there are: one for each
 * group up to 50, else 20. With fewer than two no image can be scored.
 */
export function foldsOf(
  groups: readonly unknown[],
  seed: number,
  expected: number = new Set(groups).size,
): Folds {
  const most = expected <= GROUPS_ALONE ? GROUPS_ALONE : FOLDS;
  const random = new Mt19937(seed);
  const places = new Map<unknown, number>();
  // Of so many groups one after the other, each is in another fold.
  let order: ArrayLike<number> = [];
  const folds = Uint32Array.from(groups, (group) => {
    const known = places.get(group);
    if (known !== undefined) return known;
    const place = places.size % most;
    if (place === 0) order = permutation(random, most);
    const fold = order[place]!;
    places.set(group, fold);
    return fold;
  });
  return { folds, count: Math.min(most, places.size) };
}

/**
 * Divides training images into folds by their names.
 *
 * @param names Names of the images.
 * @param seed Of the draw.
 * @param options What images of a group have in common, see
 * {@linkcode groupsOf}, how many images there will be in all, and how many views
 * each has, which are in its fold.
 * @returns The fold of each view.
 */
export function foldsByName(
  names: readonly string[],
  seed: number,
  { groupBy, expected, views = 1 }: {
    readonly groupBy?: RegExp | undefined;
    readonly expected?: number | undefined;
    readonly views?: number;
  } = {},
): Folds {
  const { folds: own, count } = foldsOf(
    groupsOf(names, groupBy),
    seed,
    expected,
  );
  const folds = {
    count,
    folds: Uint32Array.from(
      { length: own.length * views },
      (_, view) => own[Math.floor(view / views)]!,
    ),
  };
  return groupBy === undefined ? folds : { ...folds, groupBy: groupBy.source };
}

/**
 * The group of each image: what a pattern finds in its name, its first capture
 * group where it has one. Images in which it finds nothing, or all without a
 * pattern, are groups of their own.
 *
 * @param names Names of the images.
 * @param pattern What images of a group have in common.
 */
export function groupsOf(
  names: readonly string[],
  pattern?: RegExp,
): unknown[] {
  const once = pattern &&
    new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
  return names.map((name, image) => {
    const found = once?.exec(name);
    return found ? found[1] ?? found[0] : image;
  });
}
