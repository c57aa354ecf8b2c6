import { type Pixels, wordsOf } from "./pixels.ts";

/**
 * How many colours an image has: 1, 2, or 3 where there are more. Masks have
 * two; a photograph is told from them after a few pixels.
 */
export function distinctColors(pixels: Pixels): 1 | 2 | 3 {
  const words = wordsOf(pixels);
  const [first] = words;
  let other: number | undefined;
  for (const word of words) {
    if (word === first || word === other) continue;
    if (other !== undefined) return 3;
    other = word;
  }
  return other === undefined ? 1 : 2;
}
