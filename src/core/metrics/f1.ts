/** The best F1 that any threshold reaches, and what it costs. */
export interface F1Max {
  /** 2·TP / (2·TP + FP + FN), from 0 to 1; NaN when nothing is anomalous. */
  readonly f1: number;
  /**
   * The lowest score that reaches it: samples at or above are predicted
   * anomalous; NaN when nothing is anomalous.
   */
  readonly threshold: number;
  /** Normal samples at or above the threshold. */
  readonly falsePositives: number;
  /** Anomalous samples below the threshold. */
  readonly falseNegatives: number;
}

/**
 * Searches the threshold of the best F1 while groups of equal scores come by
 * in descending order. F1 values are compared as fractions of integers, so
 * rounding never decides between thresholds; of equal ones the lowest threshold
 * wins, as in the published PatchCore.
 */
export class F1Search {
  readonly #total: number;
  #positives = 0;
  #negatives = 0;
  #best:
    | { threshold: number; positives: number; negatives: number }
    | undefined;

  /**
   * Starts above the highest score.
   *
   * @param total How many anomalous samples there are in all.
   */
  constructor(total: number) {
    this.#total = total;
  }

  /**
   * Adds all samples of the next lower score.
   *
   * @param score The score that they share.
   * @param positives How many of them are anomalous.
   * @param negatives How many of them are normal.
   */
  add(score: number, positives: number, negatives: number): void {
    this.#positives += positives;
    this.#negatives += negatives;
    if (positives === 0) return;
    const best = this.#best;
    // F1 = 2·TP / (TP + FP + total), compared by cross-multiplication.
    if (
      best === undefined ||
      this.#positives * (best.positives + best.negatives + this.#total) >=
        best.positives * (this.#positives + this.#negatives + this.#total)
    ) {
      this.#best = {
        threshold: score,
        positives: this.#positives,
        negatives: this.#negatives,
      };
    }
  }

  /** The best threshold so far. */
  get value(): F1Max {
    const best = this.#best;
    if (best === undefined) {
      return {
        f1: NaN,
        threshold: NaN,
        falsePositives: 0,
        falseNegatives: 0,
      };
    }
    const predicted = best.positives + best.negatives;
    return {
      f1: 2 * best.positives / (predicted + this.#total),
      threshold: best.threshold,
      falsePositives: best.negatives,
      falseNegatives: this.#total - best.positives,
    };
  }
}
