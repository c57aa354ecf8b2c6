import {
  assert,
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertIsError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertNotInstanceOf,
  assertNotMatch,
  assertNotStrictEquals,
  assertObjectMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  equal,
  fail,
  unreachable,
} from "@std/assert";

function fails(...assertions: (() => void)[]): void {
  for (const assertion of assertions) {
    let thrown: unknown;
    try {
      assertion();
    } catch (error) {
      thrown = error;
    }
    if (!(thrown instanceof AssertionError)) {
      throw new Error(`Expected an AssertionError from ${assertion}`);
    }
  }
}

Deno.test("assert() and assertFalse() look at truth", () => {
  assert("hello".includes("ello"));
  assertFalse("");
  fails(
    () => assert(0),
    () => assertFalse(1),
    () => fail(),
    () => unreachable(),
  );
});

Deno.test("assertEquals() compares structure", () => {
  assertEquals("world", "world");
  assertEquals({ hello: "world", a: [1, { b: 2 }] }, {
    a: [1, { b: 2 }],
    hello: "world",
  });
  assertEquals(NaN, NaN);
  assertEquals(0, -0);
  assertEquals(new Date(3), new Date(3));
  assertEquals(new Set([{ a: 1 }]), new Set([{ a: 1 }]));
  assertEquals(new Map([[{ k: 1 }, [2]]]), new Map([[{ k: 1 }, [2]]]));
  assertEquals(new Float32Array([1, NaN]), new Float32Array([1, NaN]));
  assertEquals(new Error("a"), new Error("a"));
  assertEquals(/a/g, /a/g);
});

Deno.test("assertEquals() tells different values and kinds apart", () => {
  fails(
    () => assertEquals<unknown>("1", 1),
    () => assertEquals({ a: undefined }, {}),
    () => assertEquals([1, 2], [2, 1]),
    () => assertEquals<unknown>(new Float32Array(2), new Float64Array(2)),
    () => assertEquals(new Float32Array([1]), new Float32Array([2])),
    () => assertEquals(new Set([1]), new Set([2])),
    () => assertEquals(new Map([[1, 2]]), new Map([[1, 3]])),
    () => assertEquals(new Error("a"), new Error("b")),
    () => assertEquals<unknown>(new TypeError("a"), new RangeError("a")),
    () => assertEquals<unknown>(null, undefined),
    () => assertEquals(() => 1, () => 1),
    () => assertNotEquals([1], [1]),
  );
  assertNotEquals(1, 2);
});

Deno.test("equal() follows cycles once", () => {
  const ring = (value: number): Record<string, unknown> => {
    const self: Record<string, unknown> = { value };
    self["self"] = self;
    return self;
  };
  assert(equal(ring(1), ring(1)));
  assertFalse(equal(ring(1), ring(2)));
});

Deno.test("assertStrictEquals() compares identity", () => {
  const value = {};
  assertStrictEquals(value, value);
  assertNotStrictEquals(value, {});
  fails(
    () => assertStrictEquals<unknown>({}, {}),
    () => assertStrictEquals(0, -0),
    () => assertNotStrictEquals(1, 1),
  );
});

Deno.test("assertAlmostEquals() allows 1e-7 of the value or a tolerance", () => {
  assertAlmostEquals(0.01, 0.02, 0.1);
  assertAlmostEquals(0.1 + 0.2, 0.3);
  fails(
    () => assertAlmostEquals(1, 2),
    () => assertAlmostEquals(NaN, 1),
    () => assertAlmostEquals(1, Infinity),
  );
});

Deno.test("assertGreater() and its kin compare order", () => {
  assertGreater(2, 1);
  assertGreaterOrEqual(1, 1);
  assertLess(1, 2);
  assertLessOrEqual(2, 2);
  fails(
    () => assertGreater(1, 1),
    () => assertGreaterOrEqual(0, 1),
    () => assertLess(1, 1),
    () => assertLessOrEqual(3, 2),
  );
});

Deno.test("assertStringIncludes() and its kin look into values", () => {
  assertStringIncludes("Hello", "ello");
  assertMatch("Raptor", /Raptor/);
  assertNotMatch("Denosaurus", /Raptor/);
  assertArrayIncludes([1, { a: 2 }], [{ a: 2 }]);
  assertObjectMatch({ foo: { bar: 3, baz: 4 } }, { foo: { bar: 3 } });
  assertExists(0);
  fails(
    () => assertStringIncludes("Hello", "x"),
    () => assertMatch("x", /y/),
    () => assertNotMatch("y", /y/),
    () => assertArrayIncludes([1], [2]),
    () => assertObjectMatch({ foo: 1 }, { foo: 2 }),
    () => assertExists(null),
  );
});

Deno.test("assertInstanceOf() and assertIsError() look at classes", () => {
  assertInstanceOf(new Date(), Date);
  assertNotInstanceOf(new Date(), RegExp);
  assertIsError(new TypeError("boom"), TypeError, "oo");
  assertIsError(new TypeError("boom"), Error, /^b/);
  fails(
    () => assertInstanceOf({}, Date),
    () => assertNotInstanceOf(new Date(), Date),
    () => assertIsError("boom"),
    () => assertIsError(new Error("boom"), TypeError),
    () => assertIsError(new Error("boom"), Error, "x"),
  );
});

Deno.test("assertThrows() returns the error it expects", () => {
  const boom = (): never => {
    throw new TypeError("hello world!");
  };
  const error = assertThrows(boom, TypeError, "hello");
  assertEquals(error.message, "hello world!");
  assertEquals(assertThrows(boom), error);
  fails(
    () => assertThrows(() => {}),
    () => assertThrows(boom, RangeError),
    () => assertThrows(boom, TypeError, "bye"),
  );
});

Deno.test("assertRejects() resolves to the error it expects", async () => {
  const boom = () => Promise.reject(new TypeError("hello world!"));
  const error = await assertRejects(boom, TypeError, "hello");
  assertEquals(error.message, "hello world!");
  await assertRejects(
    () => assertRejects(() => Promise.resolve()),
    AssertionError,
  );
  await assertRejects(
    () =>
      assertRejects(() => {
        throw new Error("not a promise");
      }),
    AssertionError,
    "throws when expected to reject",
  );
});
