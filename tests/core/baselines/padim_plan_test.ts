import { assert, assertEquals, assertThrows } from "@std/assert";
import { planPadim } from "../../../src/core/baselines/padim_plan.ts";

Deno.test("planPadim() keeps WideResNet-50 within 128 MiB bindings", () => {
  const plan = planPadim({
    grid: [56, 56],
    featureDim: 1792,
    size: [224, 224],
  }, 128 * 2 ** 20);
  assertEquals(plan.dims.length, 550);
  assertEquals(plan.positionsPerChunk, 208);
  assertEquals(plan.factorBytes, 3136 * 16 * 16 * 35 * 36 / 2 * 4);
  assert(plan.bytes < 2.2e9, `${plan.bytes} bytes`);
  assertEquals([...plan.dims], [...plan.dims].toSorted((a, b) => a - b));
  assertEquals(new Set(plan.dims).size, 550);
});

Deno.test("planPadim() says what does not fit", () => {
  const options = { grid: [56, 56], featureDim: 448, size: [8, 8] } as const;
  assertEquals(planPadim(options, 2 ** 27).dims.length, 100);
  assertThrows(
    () => planPadim({ ...options, maxBytes: 5e7 }, 2 ** 27),
    RangeError,
    "dimensions fit",
  );
  assertThrows(
    () => planPadim({ ...options, dims: Uint32Array.of(448) }, 2 ** 27),
    RangeError,
    "of 448 dimensions",
  );
  assertThrows(() => planPadim(options, 1000), RangeError, "binds at once");
});
