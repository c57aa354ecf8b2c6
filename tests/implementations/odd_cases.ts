/**
 * Tests of every outcome, for the tests of what runs tests.
 *
 * @module
 */
Deno.test("holds", async (t) => {
  await t.step("a step", () => {});
  await t.step({ name: "a step that is left out", ignore: true, fn() {} });
});

Deno.test("fails", () => {
  throw new Error("It fails");
});

Deno.test("fails in a step", async (t) => {
  await t.step("a step", () => {
    throw new Error("It fails");
  });
});

Deno.test("wants what a browser has not", () => {
  if (Deno.pid === 0) throw new Error("It fails");
});

Deno.test.each([[2, "b"]])("%d and %j of row 1", () => {});
