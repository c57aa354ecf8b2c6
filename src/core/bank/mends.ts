import type { Gpu, RowChunks } from "../../gpu/mod.ts";
import { greedyCoreset } from "../coreset/greedy_coreset.ts";
import type { Coreset } from "../coreset/options.ts";
import { gatherRows } from "../rows/row_sets.ts";

/** Rows of a row set that mend a bank chosen from it, and which fold for. */
export interface Mends {
  /** The rows, fold after fold. */
  readonly rows: Uint32Array<ArrayBuffer>;
  /** The fold that each is for: it is found by that fold's images alone. */
  readonly folds: Uint32Array<ArrayBuffer>;
}

/** No mends at all. */
export const NO_MENDS: Mends = {
  rows: new Uint32Array(),
  folds: new Uint32Array(),
};

/** Rows that are left without a pick nearby when a fold's picks are left out. */
export interface Holes {
  /** Rows of the row set. */
  readonly rows: number[];
  /** How far each is from the picks of other folds. */
  readonly distances: number[];
}

/**
 * How many rows mend a fold for each pick that it loses. Measured on fits of 50
 * and 136 images of a transistor, at 1 % and 10 %: with a tenth more than were
 * lost, held-out scores are those of unseen good images; with a quarter more
 * they are lower, with 0.85 times as many (what a covering by the coreset's own
 * radius asks for) higher.
 */
const FOR_EACH_LOST = 1.1;

/**
 * A row is near a pick within this share of the coreset's radius. Below 1,
 * because a pick keeps the others at the radius from itself: where it is left
 * out, they stand farther off than those of a choice without it would.
 */
const NEAR = 0.9;

/**
 * The most rows that mend a fold: a tenth more than the picks it loses.
 *
 * @param lost Picks of the fold.
 */
export function mostMends(lost: number): number {
  return Math.ceil(FOR_EACH_LOST * lost);
}

/** How near the rows of other folds are to a pick once a fold is mended. */
export function mendedRadius({ radius }: Pick<Coreset, "radius">): number {
  return NEAR * radius;
}

/**
 * The most rows that mend all folds.
 *
 * @param picks Picks of all.
 * @param folds How many folds there are.
 */
export function mostMendsOfAll(picks: number, folds: number): number {
  return Math.ceil(FOR_EACH_LOST * picks) + folds;
}

/**
 * The rows that stand in for the picks of each fold where these are left out.
 *
 * A coreset that was chosen with an image covers that image better than one
 * chosen without it, but covers the others no better: some of their rows would
 * have been picked in place of those left out. These are found again: rows of
 * other folds that lose their pick and are not near one that remains are picked
 * greedily, until all are or a tenth more are picked than were lost.
 *
 * @param gpu The device.
 * @param rows What the coreset was chosen from.
 * @param folds Fold of each row.
 * @param coreset The coreset, with the nearest picks by these folds.
 */
export async function mendsOf(
  gpu: Gpu,
  rows: RowChunks,
  folds: ArrayLike<number>,
  coreset: Coreset,
): Promise<Mends> {
  const lost = lostOf(folds, coreset);
  const mends: number[] = [];
  const owners: number[] = [];
  for (const [fold, { rows: holes, distances }] of holesOf(folds, coreset)) {
    const list = Uint32Array.from(holes);
    using gathered = await gatherRows(gpu, rows, list, "rows without a pick");
    const picks = await thin(gpu, gathered, distances, {
      radius: mendedRadius(coreset),
      most: mostMends(lost.get(fold) ?? 0),
    });
    for (const place of picks) {
      mends.push(holes[place]!);
      owners.push(fold);
    }
  }
  return { rows: Uint32Array.from(mends), folds: Uint32Array.from(owners) };
}

/** Picks of each fold. */
export function lostOf(
  folds: ArrayLike<number>,
  { indices }: Pick<Coreset, "indices">,
): Map<number, number> {
  return countOf(Array.from(indices, (row) => folds[row]!));
}

/** How often each value occurs. */
export function countOf(values: Iterable<number>): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/**
 * The rows that lose their pick with each fold, by fold.
 *
 * @param folds Fold of each row.
 * @throws {TypeError} If the coreset followed no folds.
 */
export function holesOf(
  folds: ArrayLike<number>,
  { indices, radius, nearest }: Coreset,
): Map<number, Holes> {
  if (nearest === undefined) {
    throw new TypeError(
      "Cannot mend a coreset: it does not tell the nearest picks; choose it with folds",
    );
  }
  const { picks, distances, otherDistances, anchors } = nearest;
  const near = mendedRadius({ radius });
  const foldOfPick = Uint32Array.from(indices, (row) => folds[row]!);
  const holes = new Map<number, Holes>();
  for (let row = 0; row < picks.length; row++) {
    const far = otherDistances[row]!;
    if (!(far > near)) continue;
    const fold = foldOfPick[picks[row]!];
    // Where start points are nearer, the choice took the row for covered.
    const isLost = fold !== undefined && fold !== folds[row] &&
      !(anchors[row]! < distances[row]!);
    if (!isLost) continue;
    const own = holes.get(fold) ?? { rows: [], distances: [] };
    holes.set(fold, own);
    own.rows.push(row);
    own.distances.push(far);
  }
  return new Map([...holes].sort(([a], [b]) => a - b));
}

/**
 * Thins rows without a pick out: picks the farthest until none is farther than
 * the radius.
 *
 * @param rows The rows, at least one.
 * @param distances How far each is from a pick.
 * @param limits The radius, and how many to pick at most.
 * @returns Places among them.
 */
export async function thin(
  gpu: Gpu,
  rows: RowChunks,
  distances: readonly number[],
  { radius, most }: { readonly radius: number; readonly most: number },
): Promise<Uint32Array> {
  if (most === 0) return new Uint32Array();
  const { indices } = await greedyCoreset(gpu, rows, {
    picks: Math.min(rows.rows, most),
    start: { kind: "covered", distances: Float32Array.from(distances) },
    enough: radius,
    lean: true,
  });
  return indices;
}
