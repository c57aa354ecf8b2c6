/**
 * What is said of an image; `"uncertain"` only where there is a band, or a least
 * area and score and map disagree.
 */
export type Label = "normal" | "uncertain" | "anomalous";

/**
 * Where verdicts change. The memory bank knows nothing of these values: any
 * others go with the same scores and maps.
 */
export interface Limits {
  /** Raw score at and above which an image is anomalous; `null` for none. */
  readonly score: number | null;
  /**
   * Raw score at and above which an image is not normal any more: from there to
   * `score` it is uncertain. `null` where there is no such band.
   */
  readonly uncertainFrom: number | null;
  /** Map value at and above which a pixel is anomalous; `null` for none. */
  readonly map: number | null;
  /**
   * Pixels of the original image that a region of its map above `map` has at
   * least in an anomalous image; without it regions have no say.
   */
  readonly minArea?: number;
}

/** What limits say of a score. */
export interface Verdict {
  /** The verdict; `null` where there is no threshold. */
  readonly label: Label | null;
  /**
   * Score / threshold: 1 is at the threshold, that of anomalous images where
   * there is a band; never clamped, `null` where there is no threshold.
   */
  readonly normalizedScore: number | null;
}

/** The limits of a model without a threshold. */
export const NO_LIMITS: Limits = {
  score: null,
  uncertainFrom: null,
  map: null,
};

/**
 * Judges a raw image score.
 *
 * @throws {RangeError} If the score is not finite: it says nothing.
 */
export function judge(score: number, limits: Limits): Verdict {
  if (!Number.isFinite(score)) {
    throw new RangeError(`Cannot judge a score of ${score}: it says nothing`);
  }
  const { score: threshold, uncertainFrom } = limits;
  if (threshold === null) return { label: null, normalizedScore: null };
  const normalized = score / threshold;
  return {
    label: score >= threshold
      ? "anomalous"
      : score >= (uncertainFrom ?? Infinity)
      ? "uncertain"
      : "normal",
    normalizedScore: Number.isFinite(normalized) ? normalized : null,
  };
}

/**
 * A verdict by score and map, where regions must have a least area: anomalous
 * when both say so, normal when neither does, else uncertain.
 *
 * @param label What the score says.
 * @param isLarge Whether the map has a region of that area or more.
 */
export function judgeWithMap(
  label: Label | null,
  isLarge: boolean,
): Label | null {
  if (label === null) return null;
  return (label === "anomalous") === isLarge ? label : "uncertain";
}

/** What decides whether verdict and map agree. */
export interface JudgedMap {
  /** The verdict. */
  readonly label: Label | null;
  /** The largest pixel of the map. */
  readonly highest: number;
  /** The threshold of the map's pixels. */
  readonly threshold: number | null;
  /** Pixels of a region that counts, where the verdict goes by the map as well. */
  readonly minArea?: number | undefined;
}

/**
 * Whether a map contradicts the verdict: a normal image with a pixel above the
 * map's threshold, or an anomalous one without. An uncertain verdict goes with
 * both, and one that a least area decided on with its map.
 */
export function mapDisagrees(
  { label, highest, threshold, minArea }: JudgedMap,
): boolean {
  if (label === null || label === "uncertain" || threshold === null) {
    return false;
  }
  if (minArea !== undefined) return false;
  return (highest >= threshold) !== (label === "anomalous");
}
