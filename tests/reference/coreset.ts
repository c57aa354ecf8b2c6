import { squaredDistance } from "./search.ts";

/** What the anchors of a greedy coreset start at. */
export type ReferenceStart =
  | { readonly mean: ArrayLike<number> }
  | { readonly included: number }
  | { readonly kept: number }
  | { readonly anchors: ArrayLike<number> };

/** Result of {@linkcode greedyReference}. */
export interface ReferenceCoreset {
  /** The rows picked, in order. */
  readonly picks: number[];
  /** Anchors of all rows afterwards. */
  readonly anchors: Float64Array;
  /** For each pick, how far the runner-up's anchor was below its own. */
  readonly leads: number[];
}

/** Euclidean distance of every row to row j. */
function distances(
  rows: ArrayLike<number>,
  j: number,
  dim: number,
): Float64Array {
  const count = rows.length / dim;
  return Float64Array.from(
    { length: count },
    (_, i) => Math.sqrt(squaredDistance(rows, i, rows, j, dim)),
  );
}

/** The greedy coreset from its definition in float64; ties to the lowest index. */
export function greedyReference(
  rows: ArrayLike<number>,
  dim: number,
  count: number,
  start: ReferenceStart,
): ReferenceCoreset {
  let anchors: Float64Array;
  const picks: number[] = [];
  const leads: number[] = [];
  if ("mean" in start) {
    anchors = new Float64Array(rows.length / dim);
    for (const point of Array.from(start.mean)) {
      distances(rows, point, dim).forEach((d, i) =>
        anchors[i]! += d / start.mean.length
      );
    }
  } else if ("included" in start) {
    anchors = distances(rows, start.included, dim);
    picks.push(start.included);
    leads.push(Infinity);
  } else if ("kept" in start) {
    anchors = new Float64Array(rows.length / dim).fill(Infinity);
    for (let pick = 0; pick < start.kept; pick++) {
      picks.push(pick);
      leads.push(Infinity);
      distances(rows, pick, dim).forEach((d, i) => {
        if (d < anchors[i]!) anchors[i] = d;
      });
    }
  } else {
    anchors = Float64Array.from(start.anchors);
  }
  while (picks.length < count) {
    let best = 0;
    let second = -Infinity;
    for (let i = 1; i < anchors.length; i++) {
      if (anchors[i]! > anchors[best]!) {
        second = anchors[best]!;
        best = i;
      } else second = Math.max(second, anchors[i]!);
    }
    if (anchors[best]! <= 0 && picks.length > 0) break;
    picks.push(best);
    leads.push(anchors[best]! - second);
    distances(rows, best, dim).forEach((d, i) => {
      if (d < anchors[i]!) anchors[i] = d;
    });
  }
  return { picks, anchors, leads };
}

/** Norms of the rows of the distance matrix: where the exact sampler of the published implementation starts. */
export function distanceMatrixNorms(
  rows: ArrayLike<number>,
  dim: number,
): Float64Array {
  const count = rows.length / dim;
  return Float64Array.from({ length: count }, (_, i) =>
    Math.sqrt(
      distances(rows, i, dim).reduce((sum, d) => sum + d * d, 0),
    ));
}

/** The nearest picks of every row, as places among the picks; −1 and 3e38: none. */
export interface ReferencePicks {
  /** The nearest one. */
  readonly picks: number[];
  /** Its distance. */
  readonly distances: number[];
  /** The nearest one of another fold than that one's. */
  readonly others: number[];
  /** Its distance. */
  readonly otherDistances: number[];
}

/** The nearest picks of two folds from their definition in float64. */
export function nearestPicks(
  rows: ArrayLike<number>,
  dim: number,
  picks: readonly number[],
  folds: ArrayLike<number>,
): ReferencePicks {
  const result: ReferencePicks = {
    picks: [],
    distances: [],
    others: [],
    otherDistances: [],
  };
  for (let row = 0; row < rows.length / dim; row++) {
    const nearest = (fold: number): [number, number] => {
      let [place, distance] = [-1, 3e38];
      picks.forEach((pick, i) => {
        if (folds[pick] === fold) return;
        const d = Math.sqrt(squaredDistance(rows, row, rows, pick, dim));
        if (d < distance) [place, distance] = [i, d];
      });
      return [place, distance];
    };
    const [first, d1] = nearest(-1);
    const [second, d2] = nearest(folds[picks[first]!]!);
    result.picks.push(first);
    result.distances.push(d1);
    result.others.push(second);
    result.otherDistances.push(d2);
  }
  return result;
}
