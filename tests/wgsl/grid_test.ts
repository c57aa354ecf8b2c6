import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  gridFor,
  MAX_WORKGROUPS_PER_DIMENSION as MOST,
  pixelGrid,
  roundUp,
} from "../../src/wgsl/grid.ts";

Deno.test.each<[number, [number, number, number]]>([
  [0, [1, 1, 1]],
  [1, [1, 1, 1]],
  [MOST, [MOST, 1, 1]],
  [MOST + 1, [32768, 2, 1]],
  [2 * MOST, [MOST, 2, 1]],
  [2 * MOST + 1, [43691, 3, 1]],
  [MOST * MOST, [MOST, MOST, 1]],
])("gridFor() folds %i workgroups", (count, expected) => {
  assertEquals(gridFor(count), expected);
});

Deno.test("gridFor() covers the count within the limits and wastes little", () => {
  for (let count = 1; count < MOST ** 2; count = Math.ceil(count * 1.37)) {
    const [x, y, z] = gridFor(count);
    assert(x <= MOST && y <= MOST && z === 1, `${count}: [${x}, ${y}]`);
    assert(x * y >= count && x * y - count < y, `${count}: [${x}, ${y}]`);
  }
});

Deno.test("gridFor() refuses what two dimensions cannot hold", () => {
  assertThrows(
    () => gridFor(MOST ** 2 + 1),
    RangeError,
    `Cannot dispatch ${MOST ** 2 + 1} workgroups`,
  );
});

Deno.test("pixelGrid() covers channels by x and pixels by y and z", () => {
  assertEquals(pixelGrid(1, 1), [1, 1, 1]);
  assertEquals(pixelGrid(8, 8), [1, 1, 1]);
  assertEquals(pixelGrid(9, 9), [2, 2, 1]);
  assertEquals(pixelGrid(16, 8 * MOST + 1), [2, 32768, 2]);
});

Deno.test("roundUp() finds the next multiple", () => {
  assertEquals([0, 1, 4, 5].map((value) => roundUp(value, 4)), [0, 4, 4, 8]);
});
