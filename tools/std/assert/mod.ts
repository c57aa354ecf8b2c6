/**
 * A small stand-in for `@std/assert`: the assertions our tests use, with the
 * published signatures, so that the project runs where JSR is not reachable.
 *
 * @module
 */
export { AssertionError } from "./assertion_error.ts";
export { equal } from "./equal.ts";
export {
  assert,
  assertEquals,
  assertExists,
  assertFalse,
  assertNotEquals,
  assertNotStrictEquals,
  assertStrictEquals,
  fail,
  unreachable,
} from "./values.ts";
export {
  assertAlmostEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
} from "./numbers.ts";
export {
  assertArrayIncludes,
  assertMatch,
  assertNotMatch,
  assertObjectMatch,
  assertStringIncludes,
} from "./contents.ts";
export {
  assertInstanceOf,
  assertIsError,
  assertNotInstanceOf,
  assertRejects,
  assertThrows,
} from "./errors.ts";
export type { ErrorClass } from "./errors.ts";
