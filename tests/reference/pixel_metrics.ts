/** An anomaly map with the component number of each pixel, 0 outside. */
export interface LabelledMap {
  readonly map: ArrayLike<number>;
  readonly components: ArrayLike<number>;
}

/**
 * AUPRO by its definition: every distinct score is a threshold, each one
 * counts all pixels anew.
 */
export function auproByDefinition(
  images: readonly LabelledMap[],
  limit: number,
): number {
  const points: { fpr: number; pro: number }[] = [{ fpr: 0, pro: 0 }];
  const scores = images.flatMap(({ map }) => Array.from(map))
    .filter((score) => !Number.isNaN(score));
  for (const threshold of [...new Set(scores)].sort((a, b) => b - a)) {
    points.push(operatingPoint(images, threshold));
  }
  let area = 0;
  for (let i = 1; i < points.length; i++) {
    const from = points[i - 1]!, to = points[i]!;
    if (from.fpr >= limit) break;
    const end = Math.min(to.fpr, limit);
    const share = to.fpr === from.fpr
      ? 1
      : (end - from.fpr) / (to.fpr - from.fpr);
    const pro = from.pro + share * (to.pro - from.pro);
    area += (end - from.fpr) * (from.pro + pro) / 2;
  }
  return area / limit;
}

function operatingPoint(
  images: readonly LabelledMap[],
  threshold: number,
): { fpr: number; pro: number } {
  let normal = 0, falsePositives = 0, components = 0, overlap = 0;
  for (const { map, components: labels } of images) {
    const sizes = new Map<number, { size: number; found: number }>();
    for (let i = 0; i < map.length; i++) {
      if (Number.isNaN(map[i]!)) continue;
      const found = map[i]! >= threshold ? 1 : 0;
      if (labels[i] === 0) {
        normal++;
        falsePositives += found;
        continue;
      }
      const entry = sizes.get(labels[i]!) ?? { size: 0, found: 0 };
      entry.size++;
      entry.found += found;
      sizes.set(labels[i]!, entry);
    }
    components += sizes.size;
    for (const { size, found } of sizes.values()) overlap += found / size;
  }
  return { fpr: falsePositives / normal, pro: overlap / components };
}

/** AUROC by its definition: all pairs of an anomalous and a normal sample. */
export function aurocByDefinition(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
): number {
  let wins = 0, pairs = 0;
  for (let i = 0; i < scores.length; i++) {
    for (let j = 0; j < scores.length; j++) {
      if (!labels[i] || labels[j]) continue;
      pairs++;
      if (scores[i]! > scores[j]!) wins++;
      else if (scores[i] === scores[j]) wins += 0.5;
    }
  }
  return wins / pairs;
}
