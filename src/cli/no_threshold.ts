/**
 * Why training images gave no threshold.
 *
 * @param trainScores Their scores, each held out; NaN where there is none.
 */
export function whyNoThreshold(trainScores: ArrayLike<number>): string {
  const known = Array.from(trainScores).filter(Number.isFinite);
  if (known.length < 2) {
    return "good images of two parts at least are needed to set one";
  }
  const areAlike = known.every((score) => score === known[0]);
  return areAlike
    ? `all ${known.length} of its training images that can be compared have the same score, as copies of one image do`
    : "several of its training images share the highest score, so that none lies above it";
}
