import { AssertionError } from "./assertion_error.ts";
import { format, suffix } from "./format.ts";

// deno-lint-ignore no-explicit-any
type AbstractClass = abstract new (...args: any[]) => any;

/** A class whose instances an assertion expects to be thrown. */
export type ErrorClass<E extends Error = Error> = abstract new (
  // deno-lint-ignore no-explicit-any
  ...args: any[]
) => E;

/** Fails unless the value is an instance of the class. */
export function assertInstanceOf<T extends AbstractClass>(
  actual: unknown,
  expectedType: T,
  message = "",
): asserts actual is InstanceType<T> {
  if (actual instanceof expectedType) return;
  throw new AssertionError(
    `Expected object to be an instance of "${expectedType.name}" but was "${
      kind(actual)
    }"${suffix(message)}`,
  );
}

/** Fails when the value is an instance of the class. */
export function assertNotInstanceOf<A, T>(
  actual: A,
  // deno-lint-ignore no-explicit-any
  unexpectedType: abstract new (...args: any[]) => T,
  message?: string,
): asserts actual is Exclude<A, T> {
  if (!(actual instanceof unexpectedType)) return;
  throw new AssertionError(
    `Expected object to not be an instance of "${unexpectedType.name}"${
      suffix(message)
    }`,
  );
}

/** Fails unless the value is an error of the class whose message holds the text. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  errorClass?: ErrorClass<E>,
  messageMatches?: string | RegExp,
  message?: string,
): asserts error is E {
  if (!(error instanceof Error)) {
    throw new AssertionError(
      `Expected "error" to be an Error object, got ${format(error)}${
        suffix(message)
      }`,
    );
  }
  if (errorClass && !(error instanceof errorClass)) {
    throw new AssertionError(
      `Expected error to be instance of "${errorClass.name}", but was "${
        kind(error)
      }" (${error.message})${suffix(message)}`,
      { cause: error },
    );
  }
  if (messageMatches === undefined) return;
  const holds = typeof messageMatches === "string"
    ? error.message.includes(messageMatches)
    : messageMatches.test(error.message);
  if (holds) return;
  throw new AssertionError(
    `Expected error message to ${
      typeof messageMatches === "string" ? "include" : "match"
    } ${format(messageMatches)}, but got ${format(error.message)}${
      suffix(message)
    }`,
    { cause: error },
  );
}

/** Runs `fn` and fails unless it throws; returns what it threw. */
export function assertThrows(fn: () => unknown, message?: string): unknown;
/** Runs `fn` and fails unless it throws such an error; returns the error. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass: ErrorClass<E>,
  messageIncludes?: string,
  message?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  classOrMessage?: ErrorClass | string,
  messageIncludes?: string,
  message?: string,
): unknown {
  const wanted = wantedError(classOrMessage, messageIncludes, message);
  let thrown: unknown;
  try {
    fn();
  } catch (error) {
    thrown = error;
    check(error, wanted);
    return thrown;
  }
  throw new AssertionError(
    `Expected function to throw${suffix(wanted.message)}`,
  );
}

/** Awaits `fn` and fails unless it rejects; resolves to the reason. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  message?: string,
): Promise<unknown>;
/** Awaits `fn` and fails unless it rejects with such an error; resolves to it. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: ErrorClass<E>,
  messageIncludes?: string,
  message?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  classOrMessage?: ErrorClass | string,
  messageIncludes?: string,
  message?: string,
): Promise<unknown> {
  const wanted = wantedError(classOrMessage, messageIncludes, message);
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    throw new AssertionError(
      `Function throws when expected to reject${suffix(wanted.message)}`,
      { cause: error },
    );
  }
  try {
    await promise;
  } catch (error) {
    check(error, wanted);
    return error;
  }
  throw new AssertionError(
    `Expected function to reject${suffix(wanted.message)}`,
  );
}

interface WantedError {
  errorClass: ErrorClass | undefined;
  includes: string | undefined;
  message: string | undefined;
}

function wantedError(
  classOrMessage: ErrorClass | string | undefined,
  includes: string | undefined,
  message: string | undefined,
): WantedError {
  return typeof classOrMessage === "string"
    ? { errorClass: undefined, includes: undefined, message: classOrMessage }
    : { errorClass: classOrMessage, includes, message };
}

function check(error: unknown, wanted: WantedError): void {
  if (!wanted.errorClass) return;
  assertIsError(error, wanted.errorClass, wanted.includes, wanted.message);
}

function kind(value: unknown): string {
  if (value === null) return "null";
  if (typeof value !== "object" && typeof value !== "function") {
    return typeof value;
  }
  return value.constructor?.name ?? "Object";
}
