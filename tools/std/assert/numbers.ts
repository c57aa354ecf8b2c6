import { AssertionError } from "./assertion_error.ts";
import { format, suffix } from "./format.ts";

/**
 * Fails unless both numbers differ by at most `tolerance`. The default is
 * 1e-7 of the expected value, or 1e-7 where that is not finite.
 */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  message?: string,
): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ??
    (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  const delta = Math.abs(expected - actual);
  if (delta <= allowed) return;
  throw new AssertionError(
    `Expected actual: "${format(actual)}" to be close to "${
      format(expected)
    }": delta "${delta.toExponential(3)}" is greater than "${
      allowed.toExponential(3)
    }"${suffix(message)}`,
  );
}

function order<T>(
  holds: boolean,
  relation: string,
  actual: T,
  expected: T,
  message: string | undefined,
): void {
  if (holds) return;
  throw new AssertionError(
    message ?? `Expect ${format(actual)} ${relation} ${format(expected)}`,
  );
}

/** Fails unless `actual > expected`. */
export function assertGreater<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  order(actual > expected, ">", actual, expected, message);
}

/** Fails unless `actual >= expected`. */
export function assertGreaterOrEqual<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  order(actual >= expected, ">=", actual, expected, message);
}

/** Fails unless `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, message?: string): void {
  order(actual < expected, "<", actual, expected, message);
}

/** Fails unless `actual <= expected`. */
export function assertLessOrEqual<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  order(actual <= expected, "<=", actual, expected, message);
}
