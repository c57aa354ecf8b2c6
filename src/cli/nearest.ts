/**
 * The word most like `word`, when one is like enough to be what was meant:
 * at most a third of its letters mistyped, or `word` is the start of just one.
 */
export function nearest(
  word: string,
  words: readonly string[],
): string | undefined {
  const completed = words.filter((other) => other.startsWith(word));
  if (word.length > 1 && completed.length > 0) {
    return completed.length === 1 ? completed[0] : undefined;
  }
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const other of words) {
    const allowed = Math.max(1, Math.floor(other.length / 3));
    if (Math.abs(word.length - other.length) > allowed) continue;
    const distance = editDistance(word, other);
    if (distance <= allowed && distance < bestDistance) {
      [best, bestDistance] = [other, distance];
    }
  }
  return best;
}

/** `; did you mean "WORD"?`, or nothing when no word is near. */
export function didYouMean(word: string, words: readonly string[]): string {
  const found = nearest(word, words);
  return found === undefined ? "" : `; did you mean "${found}"?`;
}

/** Insertions, deletions, replacements and swaps of neighbours between words. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(
        last[j]! + 1,
        row[j - 1]! + 1,
        last[j - 1]! + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      }
      row.push(cost);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}
