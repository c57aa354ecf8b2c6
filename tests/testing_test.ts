import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { Gpu } from "../src/gpu/mod.ts";
import {
  assertAllClose,
  failOnGpuErrors,
  gpuTest,
  pathOf,
  randomFloats,
  relativeError,
  sharedPath,
} from "./testing.ts";

Deno.test("assertAllClose() accepts differences within either tolerance", () => {
  assertAllClose([1, 0, 100], [1 + 5e-6, 1e-6, 100.0009]);
  assertAllClose([Infinity, -Infinity], [Infinity, -Infinity]);
  assertAllClose([NaN], [NaN], { equalNaN: true });
});

Deno.test("assertAllClose() names the worst index and both values", () => {
  const error = assertThrows(
    () => assertAllClose([1, 2, 3], [1, 2.5, 3.1], { what: "Scores" }),
    Error,
  );
  assertMatch(
    error.message,
    /^Scores: 2 of 3 values differ; worst at index 1: 2, expected 2.5/,
  );
});

Deno.test("assertAllClose() fails when NaN, infinite or of another length", () => {
  assertThrows(() => assertAllClose([NaN], [0]), Error, "index 0");
  assertThrows(() => assertAllClose([NaN], [NaN]), Error, "index 0");
  assertThrows(() => assertAllClose([0], [NaN]), Error, "index 0");
  assertThrows(() => assertAllClose([1], [Infinity]), Error, "index 0");
  assertThrows(
    () => assertAllClose([1], [1, 2]),
    Error,
    "1 values, expected 2",
  );
});

Deno.test("relativeError() is the 2-norm of the difference over the norm", () => {
  assertEquals(relativeError([3, 4], [3, 4]), 0);
  assertAlmostEquals(relativeError([3, 4.5], [3, 4]), 0.1);
  assertEquals(relativeError([0, 0], [0, 0]), 0);
  assertEquals(relativeError([1], [0]), Infinity);
});

Deno.test("randomFloats() repeats for a seed and fills [-1, 1)", () => {
  const values = randomFloats(7, 10_000);
  const other = randomFloats(8, 10_000);
  assertEquals(values, randomFloats(7, 10_000));
  assert(values.some((value, i) => value !== other[i]));
  assert(values.every((value) => value >= -1 && value < 1));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  assert(Math.abs(mean) < 0.02);
});

Deno.test("sharedPath() refuses a PATCHCORE_SHARED that is no folder", () => {
  const before = Deno.env.get("PATCHCORE_SHARED");
  try {
    Deno.env.set("PATCHCORE_SHARED", "/nowhere/at/all");
    assertThrows(() => sharedPath("x"), Error, '"/nowhere/at/all"');
    const here = decodeURIComponent(new URL(".", import.meta.url).pathname);
    Deno.env.set("PATCHCORE_SHARED", here);
    assertEquals(sharedPath("a", "b"), `${here}/a/b`);
  } finally {
    if (before === undefined) Deno.env.delete("PATCHCORE_SHARED");
    else Deno.env.set("PATCHCORE_SHARED", before);
  }
});

gpuTest(
  "gpuTest() hands every test of a file the same working Gpu",
  async (gpu) => {
    const values = randomFloats(1, 5);
    using tensor = gpu.upload(values);
    assertEquals(await gpu.readFloats(tensor), values);
  },
);

Deno.test("failOnGpuErrors() fails on an error that nobody caught", async () => {
  using gpu = await Gpu.create();
  const provoke = (): void => {
    gpu.device.createBuffer({ size: 4, usage: 0 });
  };
  await assertRejects(
    () => failOnGpuErrors(gpu, provoke),
    Error,
    "The GPU reported 1 error(s) during this test",
  );
  await failOnGpuErrors(gpu, () => {});
  gpu.check();
});

Deno.test("failOnGpuErrors() throws what went wrong before disposal failed", async () => {
  using gpu = await Gpu.create();
  await assertRejects(
    () =>
      failOnGpuErrors(gpu, () => {
        using _broken = {
          [Symbol.dispose](): void {
            throw new Error("cannot dispose");
          },
        };
        throw new Error("first");
      }),
    Error,
    "first",
  );
});

Deno.test.each([
  ["file:///home/me/a%20b.png", "/home/me/a b.png"],
  ["file:///C:/Users/me/a%20b.png", "C:/Users/me/a b.png"],
])("pathOf(%s) is %s", (address, path) => {
  assertEquals(pathOf(new URL(address)), path);
});
