import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { ProArea } from "../../../src/core/metrics/aupro.ts";

Deno.test("ProArea never exceeds 1 when the limit falls between two points", () => {
  const area = new ProArea(0.3, 10, 1);
  area.add(1, 0);
  area.add(0, 1);
  area.add(0, 9);
  assertAlmostEquals(area.value, 1, 1e-15);
});

Deno.test("ProArea starts at (0, 0) when the first group is mixed", () => {
  const area = new ProArea(1, 4, 2);
  area.add(2, 4);
  assertEquals(area.value, 0.5);
});

Deno.test("ProArea sums millions of small shares without drift", () => {
  const size = 3_000_000;
  const area = new ProArea(1, 1, 1);
  for (let i = 0; i < size; i++) area.add(1 / size, 0);
  area.add(0, 1);
  assertAlmostEquals(area.value, 1, 1e-14);
});

Deno.test("ProArea refuses a limit outside 0 to 1", () => {
  for (const limit of [0, -1, 1.5, NaN]) {
    assertThrows(
      () => new ProArea(limit, 1, 1),
      RangeError,
      `value is ${limit}`,
    );
  }
});
