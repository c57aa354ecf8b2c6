/**
 * The learning of proxies (paper Eq. 8) in float64: the gradient comes from
 * automatic differentiation of nothing but the loss, by central differences
 * where it is checked, and in closed form for whole runs.
 *
 * @module
 */

/** Rows of numbers. */
export type Matrix = readonly (readonly number[])[];

/** |m − Σ_k w_k p_k|² with w the softmin of the distances. */
export function proxyLoss(
  patch: readonly number[],
  proxies: Matrix,
  temperature: number,
): number {
  const { residual } = rebuilt(patch, proxies, temperature);
  return residual.reduce((sum, r) => sum + r * r, 0);
}

/** The mean loss of patches. */
export function meanLoss(
  patches: Matrix,
  proxies: Matrix,
  temperature: number,
): number {
  return patches.reduce(
    (sum, patch) => sum + proxyLoss(patch, proxies, temperature),
    0,
  ) / patches.length;
}

/** The gradient of {@linkcode meanLoss} by the proxies, in closed form. */
export function proxyGradient(
  patches: Matrix,
  proxies: Matrix,
  temperature: number,
): number[][] {
  const gradient = proxies.map((proxy) => proxy.map(() => 0));
  for (const patch of patches) {
    const { weights, distances, near, residual } = rebuilt(
      patch,
      proxies,
      temperature,
    );
    proxies.forEach((proxy, j) => {
      const along = residual.reduce(
        (sum, r, d) => sum + r * (proxy[d]! - near[d]!),
        0,
      );
      const slope = distances[j] === 0
        ? 0
        : 2 * weights[j]! * along / (temperature * distances[j]!);
      proxy.forEach((p, d) => {
        gradient[j]![d]! += (slope * (p - patch[d]!) -
          2 * weights[j]! * residual[d]!) / patches.length;
      });
    });
  }
  return gradient;
}

/** Adam as published, over given batches. */
export function adam(
  batches: readonly Matrix[],
  first: Matrix,
  rate: number,
  temperature: number,
): { proxies: number[][]; losses: number[] } {
  const proxies = first.map((row) => [...row]);
  const m = first.map((row) => row.map(() => 0));
  const v = first.map((row) => row.map(() => 0));
  const losses: number[] = [];
  batches.forEach((patches, i) => {
    losses.push(meanLoss(patches, proxies, temperature));
    const gradient = proxyGradient(patches, proxies, temperature);
    proxies.forEach((proxy, j) => {
      proxy.forEach((_, d) => {
        const g = gradient[j]![d]!;
        m[j]![d] = 0.9 * m[j]![d]! + 0.1 * g;
        v[j]![d] = 0.999 * v[j]![d]! + 0.001 * g * g;
        proxy[d]! -= rate * (m[j]![d]! / (1 - 0.9 ** (i + 1))) /
          (Math.sqrt(v[j]![d]! / (1 - 0.999 ** (i + 1))) + 1e-8);
      });
    });
  });
  return { proxies, losses };
}

function rebuilt(
  patch: readonly number[],
  proxies: Matrix,
  temperature: number,
) {
  const distances = proxies.map((proxy) =>
    Math.hypot(...proxy.map((p, d) => p - patch[d]!))
  );
  const least = Math.min(...distances);
  const powers = distances.map((d) => Math.exp((least - d) / temperature));
  const total = powers.reduce((sum, p) => sum + p, 0);
  const weights = powers.map((p) => p / total);
  const near = patch.map((_, d) =>
    proxies.reduce((sum, proxy, j) => sum + weights[j]! * proxy[d]!, 0)
  );
  const residual = patch.map((x, d) => x - near[d]!);
  return { distances, weights, near, residual };
}
