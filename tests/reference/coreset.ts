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
