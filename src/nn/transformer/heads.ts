/**
 * Attention as products of views: which columns are whose queries, keys and
 * values.
 *
 * @module
 */
import type { GraphNode } from "../graph.ts";
import type { Shape } from "../shape_rules.ts";
import { type HeadColumns, isPlain, type Rotation } from "./expression.ts";
import { Refusal } from "./refusal.ts";
import type { RowsView } from "./rows_view.ts";

/** Queries, keys or values of all heads, as a matrix product reads them. */
export interface Heads extends HeadColumns {
  /** Number of heads. */
  readonly heads: number;
  /** Dimensions of each. */
  readonly head: number;
  /** What they are multiplied by. */
  readonly factor: number;
  /** Rotary positions that they were turned by. */
  readonly rotation?: Rotation;
}

/**
 * The heads in a tensor.
 *
 * @param last Which axis comes last: `keys` for `[…, tokens, dimensions]`,
 * `dimensions` for `[…, dimensions, tokens]`.
 */
export function headsOf(
  { of, view, factor, rotation }: RowsView,
  last: "keys" | "dimensions",
): Heads {
  const { shape, strides, offset } = view;
  const rank = shape.length;
  const [tokenAxis, dimAxis] = last === "keys"
    ? [rank - 2, rank - 1]
    : [rank - 1, rank - 2];
  const others = shape.flatMap((extent, axis) =>
    axis < rank - 2 && extent > 1 ? [axis] : []
  );
  const regular = rank >= 2 && strides[tokenAxis] === of.channels &&
    strides[dimAxis] === 1 && others.length <= 1 && offset < of.channels;
  if (!regular || !isPlain(of)) {
    throw new Refusal(
      "it multiplies what are no queries, keys or values of tokens",
    );
  }
  const [axis] = others;
  const heads = axis === undefined ? 1 : shape[axis]!;
  const step = axis === undefined ? 0 : strides[axis]!;
  const head = shape[dimAxis!]!;
  const columns = Array.from(
    { length: heads * head },
    (_, i) => offset + Math.floor(i / head) * step + i % head,
  );
  if (columns.some((column) => column >= of.channels)) {
    throw new Refusal("a head goes on in another token");
  }
  return {
    ...{ of, columns, heads, head, factor },
    ...(rotation && { rotation }),
  };
}

/** A product of softmax and values, as an {@linkcode Attention}. */
export function attend(
  node: GraphNode,
  { queries, keys, values, scale, output }: {
    readonly queries: Heads;
    readonly keys: Heads;
    readonly values: Heads;
    readonly scale: number;
    /** Shape of the result. */
    readonly output: Shape;
  },
): RowsView {
  const parts = [queries, keys, values] as const;
  const { heads, head, of: { x }, rotation } = queries;
  const alike = parts.every((part) =>
    part.heads === heads && part.head === head && part.of.x === x
  );
  if (!alike) {
    throw new Refusal(
      "its queries, keys and values differ in heads or come from different tokens",
    );
  }
  if (JSON.stringify(rotation) !== JSON.stringify(keys.rotation)) {
    throw new Refusal("queries and keys are turned by different positions");
  }
  if (head % 4 !== 0) {
    throw new Refusal(
      `its heads have ${head} dimensions, only multiples of 4 are supported`,
    );
  }
  const channels = heads * head;
  const rank = output.length;
  return {
    kind: "rows",
    factor: 1,
    view: {
      shape: output,
      strides: output.map((extent, axis) =>
        axis === rank - 1
          ? 1
          : axis === rank - 2
          ? channels
          : extent > 1
          ? head
          : 0
      ),
      offset: 0,
    },
    of: {
      kind: "attention",
      ...{ channels, node, x, parts, heads },
      scale: scale * queries.factor * keys.factor,
      ...(rotation && { rotation }),
    },
  };
}
