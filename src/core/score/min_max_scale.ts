/** Min-max scale: how one member of an ensemble's scores become 0 to 1. */
export interface MinMaxScale {
  /** What becomes 0. */
  readonly min: number;
  /** What becomes 1. */
  readonly max: number;
}

/**
 * The min-max scale that makes a model's scores comparable with another's: the
 * least and the largest held-out score of its training images.
 *
 * @param trainScores One a training image; NaN where it is not known, as where
 * leaving the image out left nothing to compare with.
 * @returns Nothing where they are not two different numbers at least.
 */
export function minMaxScale(
  trainScores: ArrayLike<number>,
): MinMaxScale | undefined {
  const known = Array.from(trainScores).filter(Number.isFinite);
  const scale = rangeOf(known);
  return scale.max > scale.min ? scale : undefined;
}

/** The least and the largest of some values. */
export function rangeOf(values: Iterable<number>): MinMaxScale {
  let [min, max] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}

/** The least and the largest of two ranges. */
export function joinRanges(a: MinMaxScale, b: MinMaxScale): MinMaxScale {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

/** A value on a scale: 0 at its least, 1 at its largest, never clamped. */
export function onScale(value: number, { min, max }: MinMaxScale): number {
  return (value - min) / (max - min);
}

/**
 * The mean over members of each training image's score on the member's scale.
 *
 * @param members Training scores of each member, images in the same order.
 * @returns NaN for images that a member has no score of.
 */
export function jointScores(
  members: readonly ArrayLike<number>[],
  scales: readonly MinMaxScale[],
): Float64Array<ArrayBuffer> {
  return Float64Array.from(members[0]!, (_, image) => {
    let sum = 0;
    members.forEach((scores, i) => {
      sum += onScale(scores[image]!, scales[i]!);
    });
    return sum / members.length;
  });
}

/**
 * The mean over members of maps on their scales.
 *
 * @param maps Map of each member, all of one size.
 */
export function jointMap(
  maps: readonly Float32Array[],
  scales: readonly MinMaxScale[],
): Float32Array<ArrayBuffer> {
  const sum = new Float64Array(maps[0]!.length);
  maps.forEach((map, i) => {
    const { min, max } = scales[i]!;
    const factor = 1 / (max - min) / maps.length;
    for (let at = 0; at < sum.length; at++) {
      sum[at]! += (map[at]! - min) * factor;
    }
  });
  return Float32Array.from(sum);
}
