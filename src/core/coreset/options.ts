/** Where a greedy coreset starts. */
export type CoresetStart =
  | {
    /** Anchors start at the mean distance to some points, which are not picked. */
    readonly kind: "mean";
    /** The rows of the points; the published implementation draws 10. */
    readonly points: ArrayLike<number>;
  }
  | {
    /** One row is the first pick. */
    readonly kind: "included";
    /** That row. */
    readonly point: number;
  }
  | {
    /** The first rows are picked already. */
    readonly kind: "kept";
    /** How many they are; fewer than `picks`. */
    readonly rows: number;
  }
  | {
    /** Rows outside are picked already: anchors start at distances to them. */
    readonly kind: "covered";
    /** Distance of each row to the nearest of those. */
    readonly distances: Float32Array<ArrayBuffer>;
  };

/** Options of `greedyCoreset()`. */
export interface CoresetOptions {
  /** Rows to pick, at least 1. */
  readonly picks: number;
  /** Where to start. */
  readonly start: CoresetStart;
  /**
   * `lazy` (the default) refines a few rows alone between passes over all;
   * `plain` passes over all rows for every pick. Both pick the same rows.
   */
  readonly method?: "lazy" | "plain";
  /** Share of the rows that `lazy` refines alone; 0.01 by default. */
  readonly candidates?: number;
  /** Whether to spare the memory of the bounds that make passes quicker. */
  readonly lean?: boolean;
  /** Fold of each row; asks for {@linkcode Coreset.nearest}. */
  readonly folds?: ArrayLike<number>;
  /** Picking ends when no row is farther from a pick; 0 by default. */
  readonly enough?: number;
  /** Called with the picks made so far and those to make. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** The nearest picks of every row `[N]`, 4,294,967,295 and 3e38 for none. */
export interface NearestPicks {
  /** Place among the picks of the nearest one, the first of equals. */
  readonly picks: Uint32Array<ArrayBuffer>;
  /** Distance to it. */
  readonly distances: Float32Array<ArrayBuffer>;
  /** The nearest pick of another fold than that one's. */
  readonly others: Uint32Array<ArrayBuffer>;
  /** Distance to that. */
  readonly otherDistances: Float32Array<ArrayBuffer>;
  /** What the choice took for the distance: start points are near as well. */
  readonly anchors: Float32Array<ArrayBuffer>;
}

/** The rows that represent a row set. */
export interface Coreset {
  /**
   * The rows picked, in the order of picking. There are fewer than asked for
   * only when every row left equals one that was picked.
   */
  readonly indices: Uint32Array<ArrayBuffer>;
  /** The largest anchor left: no row is farther from its nearest pick. */
  readonly radius: number;
  /** Passes over all rows, or over all that could still be picked. */
  readonly passes: number;
  /** The nearest picks of every row, where folds were given. */
  readonly nearest?: NearestPicks;
}
