/** What the levels 0 to 255 of each channel become: `(v / 255 − mean) / std`. */
export interface Normalisation {
  /** Mean of red, green and blue. */
  readonly mean: readonly [number, number, number];
  /** Standard deviation of red, green and blue. */
  readonly std: readonly [number, number, number];
}

/** Mean and standard deviation of ImageNet, as torchvision's weights expect. */
export const IMAGENET: Normalisation = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** Levels from 0 to 1, for networks that normalise inside. */
export const UNIT_RANGE: Normalisation = { mean: [0, 0, 0], std: [1, 1, 1] };

/** Levels from 0 to 255, for networks that divide by 255 themselves. */
export const BYTE_RANGE: Normalisation = {
  mean: [0, 0, 0],
  std: [1 / 255, 1 / 255, 1 / 255],
};

/**
 * The float of every level, rounded to float32 after each step as PyTorch
 * computes it, so that all adapters agree to the bit.
 *
 * @returns `[256, 4]`; the fourth channel is 0.
 */
export function normalisationTable(
  { mean, std }: Normalisation,
): Float32Array<ArrayBuffer> {
  const table = new Float32Array(256 * 4);
  const { fround } = Math;
  for (let level = 0; level < 256; level++) {
    const unit = fround(level / 255);
    for (let c = 0; c < 3; c++) {
      const centered = fround(unit - fround(mean[c]!));
      table[level * 4 + c] = fround(centered / fround(std[c]!));
    }
  }
  return table;
}
