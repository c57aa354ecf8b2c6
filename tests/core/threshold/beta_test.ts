import { assertAlmostEquals } from "@std/assert";
import {
  betaQuantile,
  betaShare,
  logGamma,
} from "../../../src/core/threshold/beta.ts";

// Values of scipy.stats.beta and scipy.special.gammaln, SciPy 1.17.1.

Deno.test("betaQuantile() agrees with SciPy when shapes are fractions, one and large", () => {
  for (
    const [share, a, b, value] of [
      [0.025, 2.55, 48.45, 0.0087930012704862],
      [0.975, 2.55, 48.45, 0.12370473926599869],
      [0.5, 1, 20, 0.03406367107515445],
      [0.025, 3, 298, 0.0020670072350923163],
      [0.9, 150, 7.5, 0.9724961903667557],
    ] as const
  ) assertAlmostEquals(betaQuantile(share, a, b), value, 1e-11);
});

Deno.test("betaShare() agrees with SciPy when it is near either end", () => {
  for (
    const [x, a, b, share] of [
      [0.1, 2, 30, 0.8304353668991351],
      [0.7, 12.5, 3, 0.14294620087992158],
      [0.001, 1, 500, 0.39362105513881496],
      [0, 2, 3, 0],
      [1, 2, 3, 1],
    ] as const
  ) assertAlmostEquals(betaShare(x, a, b), share, 1e-12);
});

Deno.test("logGamma() is the logarithm of a factorial when x is whole", () => {
  let factorial = 0;
  for (let x = 1; x < 60; x++) {
    assertAlmostEquals(logGamma(x), factorial, 1e-12 * (1 + factorial));
    factorial += Math.log(x);
  }
  assertAlmostEquals(logGamma(0.25), Math.log(3.625609908221908), 1e-13);
});
