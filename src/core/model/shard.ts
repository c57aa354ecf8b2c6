/** Which parts of a fit's images a model was made of. */
export interface ShardPositions {
  /** Their numbers, from 1 up, ascending. */
  readonly parts: readonly number[];
  /** How many parts there are. */
  readonly count: number;
}

/**
 * Reads `i/n`, or several parts as in `1-3,5/8`.
 *
 * @returns Nothing where the text is something else.
 */
export function parseShard(text: string): ShardPositions | undefined {
  const [, list, all] =
    /^(\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*)\/(\d+)$/.exec(text) ??
      [];
  const count = Number(all);
  if (list === undefined || !(count <= MOST_PARTS)) return undefined;
  const parts: number[] = [];
  for (const range of list.split(",")) {
    const [first, last = first] = range.split("-").map(Number);
    const isNext = first! > (parts.at(-1) ?? 0) && last! >= first!;
    if (!isNext || last! > count) return undefined;
    for (let part = first!; part <= last!; part++) parts.push(part);
  }
  return { parts, count };
}

/** More parts than anybody has machines. */
export const MOST_PARTS = 1_000_000;

/** Writes what {@linkcode parseShard} reads. */
export function shardText({ parts, count }: ShardPositions): string {
  const ranges: [number, number][] = [];
  for (const part of parts.toSorted((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range !== undefined && part === range[1] + 1) range[1] = part;
    else ranges.push([part, part]);
  }
  const list = ranges.map(([a, b]) => a === b ? a : `${a}-${b}`);
  return `${list.join(",")}/${count}`;
}
