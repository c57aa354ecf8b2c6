import { pixelCurves } from "./pixel_curves.ts";
import type { Run } from "./sorted_runs.ts";

const LIMIT = 0.3;

/** The per-image PRO over a test set. */
interface ProPerImageResult {
  /** Mean over the images that have a component; NaN when there is none. */
  readonly defective: number;
  /** Mean over all images, one without a component counting 0. */
  readonly all: number;
}

/**
 * PRO averaged over images, the kind of figure the published PatchCore
 * reports as "PRO": each image's own area under its per-region overlap, its
 * false-positive rate taken over its own anomaly-free pixels up to 0.3.
 *
 * The published tables satisfy `full_pro = anomaly_pro · defective / all`,
 * which fixes the averaging; the code behind them was removed, so the limit
 * and the integration are those of {@linkcode ProArea}. It usually lies some
 * points above the AUPRO of the whole test set and is no substitute for it.
 */
export class ProPerImage {
  #sum = 0;
  #defective = 0;
  #images = 0;

  /**
   * Adds one image.
   *
   * @param runs The image's pixels, tagged for {@linkcode pixelCurves}.
   * @param componentSizes Pixels of each of its components, by index.
   */
  add(runs: readonly Run[], componentSizes: readonly number[]): void {
    this.#images++;
    if (componentSizes.length === 0) return;
    this.#defective++;
    const value = pixelCurves(runs, componentSizes, [LIMIT]).aupro[0]!;
    // An image that is anomalous everywhere has no false-positive rate.
    this.#sum += Number.isNaN(value) ? 1 : value;
  }

  /** The means so far. */
  get value(): ProPerImageResult {
    return {
      defective: this.#sum / this.#defective,
      all: this.#sum / this.#images,
    };
  }
}
