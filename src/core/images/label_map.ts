/**
 * Whether a mask holds numbers of classes instead of grey: nothing of 128 or
 * more although not all is black, or an area of 3 × 3 pixels of one level that
 * is neither 0 nor 255. Edges that were smoothed have levels between, but no
 * such area.
 *
 * @param gray Levels `[H, W]`.
 * @param width Columns.
 */
export function isLabelMap(gray: Uint8Array, width: number): boolean {
  let largest = 0;
  for (const level of gray) if (level > largest) largest = level;
  if (largest < 128) return largest > 0;
  for (let at = 0; at + 2 * width + 2 < gray.length; at++) {
    const level = gray[at]!;
    if (level === 0 || level === 255) continue;
    if (at % width + 2 < width && isFlat(gray, at, width)) return true;
  }
  return false;
}

function isFlat(gray: Uint8Array, at: number, width: number): boolean {
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) {
      if (gray[at + row * width + column] !== gray[at]) return false;
    }
  }
  return true;
}
