/**
 * All samples that share one score, in a ranking from the highest score down.
 */
interface ScoreGroup {
  /** The score that the samples share. */
  readonly score: number;
  /** How many of them are anomalous. */
  readonly positives: number;
  /** How many of them are normal. */
  readonly negatives: number;
}

/**
 * Groups scored samples by score, highest first: what every ranking metric is
 * computed from. Equal scores stay together, so ties never depend on order.
 *
 * @param scores One score a sample; higher is more anomalous.
 * @param labels One label a sample: `true` or a number other than 0 is anomalous.
 * @returns The groups in descending order of score.
 * @throws {RangeError} If the lengths differ or a score is NaN.
 */
export function rankScores(
  scores: ArrayLike<number>,
  labels: ArrayLike<number | boolean>,
): ScoreGroup[] {
  if (scores.length !== labels.length) {
    throw new RangeError(
      `Cannot rank scores: there are ${scores.length} scores and ${labels.length} labels, expected one label a score`,
    );
  }
  const order = Array.from(scores, (score, index) => {
    if (!Number.isNaN(score)) return index;
    throw new RangeError(`Cannot rank scores: score ${index} is NaN`);
  });
  order.sort((a, b) => {
    if (scores[a] === scores[b]) return 0;
    return scores[a]! > scores[b]! ? -1 : 1;
  });
  const groups: { score: number; positives: number; negatives: number }[] = [];
  for (const index of order) {
    const score = scores[index]!;
    let group = groups.at(-1);
    if (group === undefined || group.score !== score) {
      group = { score, positives: 0, negatives: 0 };
      groups.push(group);
    }
    if (labels[index]) group.positives++;
    else group.negatives++;
  }
  return groups;
}

/**
 * Counts the classes of a ranking.
 *
 * @returns The number of anomalous and of normal samples.
 */
export function countClasses(
  groups: readonly ScoreGroup[],
): { positives: number; negatives: number } {
  let positives = 0, negatives = 0;
  for (const group of groups) {
    positives += group.positives;
    negatives += group.negatives;
  }
  return { positives, negatives };
}
