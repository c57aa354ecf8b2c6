import { RadixSorter } from "./radix_sort.ts";

const LARGEST_KEY = 0xffffffff;
const BLOCK_SIZE = 2 ** 20;

/** Keys sorted in ascending order, each with a tag. */
export interface Run {
  /** The keys, ascending. */
  readonly keys: Uint32Array;
  /** One tag a key, or the one tag that all keys share. */
  readonly tags: Uint32Array | number;
}

/**
 * Receives the next lower keys of a walk. Both arrays are ascending by key,
 * are reused between calls, and one key's entries may span several calls.
 */
type BlockVisitor = (keys: Uint32Array, tags: Uint32Array) => void;

interface Slice {
  readonly run: Run;
  readonly start: number;
  readonly end: number;
}

/**
 * Walks many sorted runs as if they were merged into one, from the highest
 * key down. The key range is halved until its entries fit one block, which is
 * then gathered and sorted; so working memory is four arrays of one block,
 * whatever the number and length of the runs.
 *
 * @param runs The runs; they are not changed.
 * @param visit Called for each block in descending order.
 * @param blockSize The most entries of a block.
 */
export function walkDescending(
  runs: readonly Run[],
  visit: BlockVisitor,
  blockSize: number = BLOCK_SIZE,
): void {
  const total = runs.reduce((sum, run) => sum + run.keys.length, 0);
  const length = Math.min(blockSize, total);
  const keys = new Uint32Array(length);
  const tags = new Uint32Array(length);
  const sorter = new RadixSorter();

  function descend(slices: readonly Slice[], low: number, high: number): void {
    let count = 0;
    for (const { start, end } of slices) count += end - start;
    if (count === 0) return;
    if (low === high) return emitEqual(slices);
    if (count <= length) return emitSorted(slices, count);
    const middle = low + Math.floor((high - low) / 2);
    const upper: Slice[] = [], lower: Slice[] = [];
    for (const { run, start, end } of slices) {
      const split = firstAbove(run.keys, middle, start, end);
      if (split < end) upper.push({ run, start: split, end });
      if (start < split) lower.push({ run, start, end: split });
    }
    descend(upper, middle + 1, high);
    descend(lower, low, middle);
  }

  function emitSorted(slices: readonly Slice[], count: number): void {
    let at = 0;
    for (const { run, start, end } of slices) {
      copy(run, start, end, at);
      at += end - start;
    }
    const blockKeys = keys.subarray(0, count);
    const blockTags = tags.subarray(0, count);
    sorter.sort(blockKeys, blockTags);
    visit(blockKeys, blockTags);
  }

  function emitEqual(slices: readonly Slice[]): void {
    for (const { run, start, end } of slices) {
      for (let from = start; from < end; from += length) {
        const to = Math.min(from + length, end);
        copy(run, from, to, 0);
        visit(keys.subarray(0, to - from), tags.subarray(0, to - from));
      }
    }
  }

  function copy(run: Run, start: number, end: number, at: number): void {
    keys.set(run.keys.subarray(start, end), at);
    if (typeof run.tags === "number") {
      tags.fill(run.tags, at, at + end - start);
    } else tags.set(run.tags.subarray(start, end), at);
  }

  descend(
    runs.map((run) => ({ run, start: 0, end: run.keys.length })),
    0,
    LARGEST_KEY,
  );
}

function firstAbove(
  keys: Uint32Array,
  key: number,
  start: number,
  end: number,
): number {
  while (start < end) {
    const middle = (start + end) >>> 1;
    if (keys[middle]! > key) end = middle;
    else start = middle + 1;
  }
  return start;
}
