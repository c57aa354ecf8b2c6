/** The error function in float64: a series near 0, a continued fraction beyond. */
export function erf(x: number): number {
  const t = Math.abs(x);
  if (t > 6) return Math.sign(x);
  if (t < 2) {
    let term = t;
    let sum = t;
    for (let n = 1; n < 50; n++) {
      term *= -t * t / n;
      sum += term / (2 * n + 1);
    }
    return Math.sign(x) * sum * 2 / Math.sqrt(Math.PI);
  }
  let rest = 0;
  for (let n = 80; n > 0; n--) rest = n / 2 / (t + rest);
  return Math.sign(x) *
    (1 - Math.exp(-t * t) / Math.sqrt(Math.PI) / (t + rest));
}
