/** Where the continued fraction and the bisection are exact enough. */
const TINY = 1e-15;

/** Coefficients of Lanczos' approximation, g = 7. */
const LANCZOS: readonly number[] = [
  676.5203681218851,
  -1259.1392167224028,
  771.32342877765313,
  -176.61502916214059,
  12.507343278686905,
  -0.13857109526572012,
  9.9843695780195716e-6,
  1.5056327351493116e-7,
];

/** The natural logarithm of the gamma function, for x > 0. */
export function logGamma(x: number): number {
  if (x < 0.5) {
    return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  }
  let sum = 0.99999999999980993;
  LANCZOS.forEach((coefficient, i) => sum += coefficient / (x + i));
  const t = x + 6.5;
  return Math.log(2 * Math.PI) / 2 + (x - 0.5) * Math.log(t) - t +
    Math.log(sum);
}

/** The regularised incomplete beta function I_x(a, b): P(Beta(a, b) ≤ x). */
export function betaShare(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - betaShare(1 - x, b, a);
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) +
      b * Math.log1p(-x),
  );
  return front * fraction(x, a, b) / a;
}

/**
 * The value below which a Beta(a, b) variable lies with probability `share`.
 *
 * @param share 0 to 1.
 * @param a Above 0.
 * @param b Above 0.
 */
export function betaQuantile(share: number, a: number, b: number): number {
  let low = 0;
  let high = 1;
  // A double has no more bits than that between 0 and 1.
  for (let i = 0; i < 200 && high - low > TINY * high; i++) {
    const middle = (low + high) / 2;
    if (betaShare(middle, a, b) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Lentz's evaluation of the continued fraction of I_x(a, b). */
function fraction(x: number, a: number, b: number): number {
  const away = (value: number): number =>
    Math.abs(value) < 1e-300 ? 1e-300 : value;
  let c = 1;
  let d = 1 / away(1 - (a + b) * x / (a + 1));
  let result = d;
  for (let m = 1; m < 10_000; m++) {
    const even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    result *= d * c;
    const odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    result *= d * c;
    if (Math.abs(d * c - 1) < TINY) break;
  }
  return result;
}
