import { type Pixels, wordsOf } from "./pixels.ts";

/**
 * Whether an image consists of two greys alone, black among them, as masks do.
 * A photograph is told after a few pixels.
 */
export function hasTwoLevels(pixels: Pixels): boolean {
  const words = wordsOf(pixels);
  const [first] = words;
  let other: number | undefined;
  for (const word of words) {
    if (word === first || word === other) continue;
    if (other !== undefined) return false;
    other = word;
  }
  const { data } = pixels;
  if (other === undefined) return false;
  const at = 4 * words.indexOf(other);
  return [0, at].every((i) =>
    data[i] === data[i + 1] && data[i] === data[i + 2]
  ) && (data[0] === 0 || data[at] === 0);
}
