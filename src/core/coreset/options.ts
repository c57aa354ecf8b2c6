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
  /** Image of each row; asks for {@linkcode Coreset.nearestOther}. */
  readonly images?: ArrayLike<number>;
  /** Called with the picks made so far and those to make. */
  readonly onProgress?: (done: number, total: number) => void;
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
  /**
   * For each row, the place in `indices` of the nearest pick of another image;
   * 4,294,967,295 where there is none.
   */
  readonly nearestOther?: Uint32Array<ArrayBuffer>;
}
