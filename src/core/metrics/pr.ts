/**
 * Sums the area under the precision–recall curve, as average precision
 * Σ (Rₙ − Rₙ₋₁) Pₙ without interpolation (scikit-learn's
 * `average_precision_score`), while groups of equal scores come by in descending
 * order.
 */
export class PrecisionSum {
  #positives = 0;
  #predicted = 0;
  #sum = 0;

  /**
   * Adds all samples of the next lower score.
   *
   * @param positives How many of them are anomalous.
   * @param negatives How many of them are normal.
   */
  add(positives: number, negatives: number): void {
    this.#positives += positives;
    this.#predicted += positives + negatives;
    if (positives === 0) return;
    this.#sum += positives * (this.#positives / this.#predicted);
  }

  /** The average precision from 0 to 1; NaN while there is no anomalous sample. */
  get value(): number {
    return this.#sum / this.#positives;
  }
}
