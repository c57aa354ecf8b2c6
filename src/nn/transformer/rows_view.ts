import type { Rotation, Rows } from "./expression.ts";
import type { View } from "./view.ts";

/** A tensor that holds elements of rows, perhaps in another order. */
export interface RowsView {
  /** Tells it from what else a tensor may be. */
  readonly kind: "rows";
  /** The rows. */
  readonly of: Rows;
  /** Which of their elements. */
  readonly view: View;
  /** What they are multiplied by. */
  readonly factor: number;
  /** Rotary positions that they were turned by. */
  readonly rotation?: Rotation;
}
