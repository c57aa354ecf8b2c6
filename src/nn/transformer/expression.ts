/**
 * What a transformer computes between its patches and its last block, as a few
 * kinds of steps over rows of channels, whichever operators a file has for them.
 *
 * @module
 */
import type { FloatTensor, GraphNode } from "../graph.ts";

/** Activations that a product of a transformer may end in. */
export type RowActivation = "gelu" | "quick_gelu" | "silu" | "relu";

/** Rows `[T, channels]` for each image. */
interface RowsBase {
  /** Elements of a row. */
  readonly channels: number;
  /** The operator of the file that it came from. */
  readonly node: GraphNode;
}

/** What the first block reads: patches with positions, behind other tokens. */
export interface Embedded extends RowsBase {
  /** Tells it from others. */
  readonly kind: "embedded";
}

/** LayerNormalization. */
export interface Normed extends RowsBase {
  /** Tells it from others. */
  readonly kind: "normed";
  /** What is normalised. */
  readonly x: Rows;
  /** Names of the constants that multiply and are added, `[channels]`. */
  readonly gamma: string;
  /** See `gamma`; `""`: none. */
  readonly beta: string;
  /** Added to the variance. */
  readonly epsilon: number;
}

/** Weights of a product, and which of their columns in which order. */
export interface Matrix {
  /** The constant. */
  readonly tensor: FloatTensor;
  /** Its name in the file. */
  readonly name: string;
  /** Whether it is `[outputs, inputs]` rather than `[inputs, outputs]`. */
  readonly outputsFirst: boolean;
  /** Columns taken; all in order where it is left out. */
  readonly columns?: readonly number[];
}

/** `act((x · matrix + bias) · scale + residual) · gate`. */
export interface Linear extends RowsBase {
  /** Tells it from others. */
  readonly kind: "linear";
  /** What is multiplied. */
  readonly x: Rows;
  /** Weights. */
  readonly matrix: Matrix;
  /** Added to each row. */
  readonly bias?: Float64Array;
  /** Multiplies each row (LayerScale). */
  readonly scale?: Float64Array;
  /** Added last. */
  readonly residual?: Rows;
  /** Applied to the sum. */
  readonly activation?: RowActivation;
  /** Multiplied with the result. */
  readonly gate?: Rows;
}

/** The sum of two tensors neither of which is a product. */
export interface Sum extends RowsBase {
  /** Tells it from others. */
  readonly kind: "sum";
  /** The summands. */
  readonly of: readonly [Rows, Rows];
}

/** Rotary positions of queries and keys, from a token on. */
export interface Rotation {
  /** Names of the cosines and sines `[T − prefix, head]`. */
  readonly cos: string;
  /** See `cos`. */
  readonly sin: string;
  /** Tokens at the start that are not turned. */
  readonly prefix: number;
}

/** Columns of a product that are the queries, keys or values of all heads. */
export interface HeadColumns {
  /** The product. */
  readonly of: Linear;
  /** Its columns, head by head. */
  readonly columns: readonly number[];
}

/** Softmax of scores times values, for each head. */
export interface Attention extends RowsBase {
  /** Tells it from others. */
  readonly kind: "attention";
  /** What queries, keys and values are products of. */
  readonly x: Rows;
  /** Queries, keys, values. */
  readonly parts: readonly [HeadColumns, HeadColumns, HeadColumns];
  /** Number of heads. */
  readonly heads: number;
  /** Factor of the scores. */
  readonly scale: number;
  /** Rotary positions, if there are any. */
  readonly rotation?: Rotation;
}

/** Rows of channels, and what they are computed of. */
export type Rows = Embedded | Normed | Linear | Sum | Attention;

/** The product of some columns alone. */
export function columnsOf(of: Linear, columns: readonly number[]): Linear {
  const { matrix, bias, scale } = of;
  const pick = (list: Float64Array): Float64Array =>
    Float64Array.from(columns, (c) => list[c]!);
  return {
    ...of,
    channels: columns.length,
    matrix: {
      ...matrix,
      columns: columns.map((c) => matrix.columns?.[c] ?? c),
    },
    ...(bias && { bias: pick(bias) }),
    ...(scale && { scale: pick(scale) }),
  };
}

/** Whether nothing but weights, bias and scale makes up a product. */
export function isPlain(rows: Rows): rows is Linear {
  return rows.kind === "linear" && !rows.activation && !rows.residual &&
    !rows.gate;
}
