import { AssertionError } from "./assertion_error.ts";
import { equal } from "./equal.ts";
import { format, suffix } from "./format.ts";

/** Fails unless `expression` is truthy. */
export function assert(expression: unknown, message = ""): asserts expression {
  if (!expression) throw new AssertionError(message);
}

/** Fails unless `expression` is falsy. */
export function assertFalse(
  expression: unknown,
  message = "",
): asserts expression is false | 0 | "" | null | undefined | 0n {
  if (expression) throw new AssertionError(message);
}

/** Always fails. */
export function fail(message?: string): never {
  throw new AssertionError(`Failed assertion${suffix(message)}`);
}

/** Fails when reached. */
export function unreachable(message?: string): never {
  throw new AssertionError(`Unreachable${suffix(message)}`);
}

/** Fails unless both values are structurally equal. */
export function assertEquals<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  if (equal(actual, expected)) return;
  throw new AssertionError(
    `Values are not equal${suffix(message)}${firstDifference(actual, expected)}
    actual:   ${format(actual)}
    expected: ${format(expected)}`,
  );
}

/** Fails when both values are structurally equal. */
export function assertNotEquals<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  if (!equal(actual, expected)) return;
  throw new AssertionError(
    `Expected actual: ${format(actual)} not to be: ${format(expected)}${
      suffix(message)
    }`,
  );
}

/** Fails unless `Object.is` holds. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  throw new AssertionError(
    `Values are not strictly equal${suffix(message)}
    actual:   ${format(actual)}
    expected: ${format(expected)}`,
  );
}

/** Fails when `Object.is` holds. */
export function assertNotStrictEquals<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  if (!Object.is(actual, expected)) return;
  throw new AssertionError(
    `Expected "actual" to not be strictly equal to: ${format(actual)}${
      suffix(message)
    }`,
  );
}

/** Fails when the value is `null` or `undefined`. */
export function assertExists<T>(
  actual: T,
  message?: string,
): asserts actual is NonNullable<T> {
  if (actual !== undefined && actual !== null) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to not be null or undefined${
      suffix(message)
    }`,
  );
}

function firstDifference(actual: unknown, expected: unknown): string {
  if (!isList(actual) || !isList(expected)) return "";
  if (actual.length !== expected.length) {
    return `\n    lengths:  ${actual.length} and ${expected.length}`;
  }
  for (let i = 0; i < actual.length; i++) {
    if (!equal(actual[i], expected[i])) {
      return `\n    first difference at index ${i}`;
    }
  }
  return "";
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) ||
    ArrayBuffer.isView(value) && !(value instanceof DataView);
}
