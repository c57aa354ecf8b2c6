import { AssertionError } from "./assertion_error.ts";
import { equal } from "./equal.ts";
import { format, suffix } from "./format.ts";

/** Fails unless the text contains `expected`. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  message?: string,
): void {
  if (actual.includes(expected)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to contain: "${expected}"${suffix(message)}`,
  );
}

/** Fails unless the text matches the pattern. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  message?: string,
): void {
  if (new RegExp(expected).test(actual)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to match: "${expected}"${suffix(message)}`,
  );
}

/** Fails when the text matches the pattern. */
export function assertNotMatch(
  actual: string,
  expected: RegExp,
  message?: string,
): void {
  if (!new RegExp(expected).test(actual)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to not match: "${expected}"${
      suffix(message)
    }`,
  );
}

/** Fails unless every expected element occurs, by structural equality. */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  message?: string,
): void {
  const all = Array.from(actual);
  const missing = Array.from(expected).filter((wanted) =>
    !all.some((value) => equal(value, wanted))
  );
  if (missing.length === 0) return;
  throw new AssertionError(
    `Expected actual: "${format(actual)}" to include: "${format(expected)}"${
      suffix(message)
    }\nmissing: ${format(missing)}`,
  );
}

/** Fails unless every property of `expected` is in `actual`, at any depth. */
export function assertObjectMatch(
  // deno-lint-ignore no-explicit-any
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  message?: string,
): void {
  if (contains(actual, expected)) return;
  throw new AssertionError(
    `Values do not match${suffix(message)}
    actual:   ${format(actual)}
    expected: ${format(expected)}`,
  );
}

function contains(actual: unknown, expected: unknown): boolean {
  if (!isRecord(expected) || !isRecord(actual)) return equal(actual, expected);
  return Reflect.ownKeys(expected).every((key) =>
    key in actual && contains(actual[key], expected[key])
  );
}

function isRecord(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === "object" && value !== null &&
    (Array.isArray(value) ||
      value.constructor === Object || value.constructor === undefined);
}
