import type { Mt19937 } from "./random.ts";

/**
 * The weights of `torch.nn.Linear(inputs, outputs, bias=False)` as PyTorch
 * initialises them on a CPU: uniform in ±1/√inputs. The published PatchCore
 * projects patch features with them before it picks the coreset.
 *
 * @param random The generator to draw from, fresh from its seed for PyTorch's values.
 * @returns The matrix `[outputs, inputs]`, row-major.
 */
export function linearProjection(
  random: Mt19937,
  inputs: number,
  outputs: number,
): Float32Array<ArrayBuffer> {
  const gain = Math.sqrt(2 / (1 + Math.sqrt(5) ** 2));
  const bound = Math.sqrt(3) * gain / Math.sqrt(inputs);
  return drawn(inputs, outputs, () => random.float32(-bound, bound));
}

/**
 * A Gaussian random projection: independent normal weights of variance
 * 1/outputs, so that squared distances are kept on average.
 *
 * @returns The matrix `[outputs, inputs]`, row-major.
 */
export function gaussianProjection(
  random: Mt19937,
  inputs: number,
  outputs: number,
): Float32Array<ArrayBuffer> {
  const scale = 1 / Math.sqrt(outputs);
  return drawn(inputs, outputs, () => random.normal() * scale);
}

/**
 * The dimension that keeps all pairwise distances of `samples` points within
 * 1 ± `eps` (Johnson–Lindenstrauss, `johnson_lindenstrauss_min_dim` of
 * scikit-learn).
 *
 * @param samples How many points are projected, at least 1.
 * @param eps The relative distortion, above 0 and below 1; anomalib uses 0.9.
 * @returns The dimension, rounded down.
 * @throws {RangeError} If `samples` or `eps` is out of range.
 */
export function sparseProjectionSize(samples: number, eps = 0.9): number {
  if (!(samples >= 1) || !(eps > 0 && eps < 1)) {
    throw new RangeError(
      `Cannot size the random projection: expected at least 1 sample and eps between 0 and 1: current values are ${samples} and ${eps}`,
    );
  }
  return Math.trunc(4 * Math.log(samples) / (eps ** 2 / 2 - eps ** 3 / 3));
}

/**
 * A sparse random projection (Li, Hastie and Church 2006, as anomalib uses
 * it): each entry is 0 with probability 1 − 1/√inputs, otherwise
 * ±inputs^¼/√outputs with equal odds. anomalib's distribution, not its draws.
 *
 * @param random The generator to draw from: one float64 an entry, one more bit word for each that is not zero.
 * @param outputs The length of a projected feature, see {@linkcode sparseProjectionSize}.
 * @returns The matrix `[outputs, inputs]`, row-major and dense.
 */
export function sparseProjection(
  random: Mt19937,
  inputs: number,
  outputs: number,
): Float32Array<ArrayBuffer> {
  const density = 1 / Math.sqrt(inputs);
  const magnitude = Math.sqrt(1 / density) / Math.sqrt(outputs);
  return drawn(inputs, outputs, () => {
    if (random.float64() >= density) return 0;
    return random.uint32() >>> 31 === 0 ? -magnitude : magnitude;
  });
}

/** Elements of a projection at most: 1 GiB. */
const MAX_ELEMENTS = 2 ** 28;

/** A matrix `[outputs, inputs]` of one draw after the other. */
function drawn(
  inputs: number,
  outputs: number,
  draw: () => number,
): Float32Array<ArrayBuffer> {
  for (const [name, size] of Object.entries({ inputs, outputs })) {
    if (Number.isInteger(size) && size > 0) continue;
    throw new RangeError(
      `Cannot draw a projection: ${name} must be a positive integer: current value is ${size}`,
    );
  }
  if (outputs * inputs > MAX_ELEMENTS) {
    throw new RangeError(
      `Cannot draw a projection of ${inputs} dimensions to ${outputs}: at most ${MAX_ELEMENTS} elements are possible; choose fewer dimensions, or a larger eps`,
    );
  }
  return new Float32Array(outputs * inputs).map(draw);
}
