/**
 * The blocks among a transformer's rows: attention and a feed-forward part, each
 * added to the residual stream.
 *
 * @module
 */
import type { Attention, Linear, Normed, Rows } from "./expression.ts";

/** One block. */
export interface Block {
  /** What it reads. */
  readonly input: Rows;
  /** What it yields. */
  readonly output: Linear;
}

/** Blocks in order, and the normalisation behind the last one. */
export interface Blocks {
  /** The blocks, each of which reads the one before. */
  readonly blocks: readonly Block[];
  /** LayerNormalization of the last block's result, if the file has it. */
  readonly norm?: Normed;
}

/** The chain of blocks from the first attention on. */
export function findBlocks(rows: readonly Rows[]): Blocks {
  const blocks: Block[] = [];
  const adding = new Map<Rows, Linear[]>();
  for (const other of rows) {
    if (other.kind !== "linear" || !other.residual) continue;
    const list = adding.get(other.residual);
    if (list) list.push(other);
    else adding.set(other.residual, [other]);
  }
  for (const attention of rows) {
    if (attention.kind !== "attention") continue;
    const block = blockOf(attention, adding);
    const before = blocks.at(-1);
    if (!block || before && block.input !== before.output) break;
    blocks.push(block);
  }
  const last = blocks.at(-1)?.output;
  const norm = rows.find((other): other is Normed =>
    other.kind === "normed" && other.x === last
  );
  return { blocks, ...(last && norm && { norm }) };
}

/**
 * The block of an attention that reads a normalised stream.
 *
 * @param adding Products by what they are added to.
 */
function blockOf(
  attention: Attention,
  adding: ReadonlyMap<Rows, readonly Linear[]>,
): Block | undefined {
  if (attention.x.kind !== "normed") return undefined;
  const input = attention.x.x;
  const middle = adding.get(input)?.find(({ x }) => x === attention);
  const output = middle &&
    adding.get(middle)?.find(({ x }) => x.kind === "linear");
  return output && { input, output };
}
