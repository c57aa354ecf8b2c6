import { assert, assertEquals } from "@std/assert";
import { mapToOriginal } from "../../../src/core/images/map_geometry.ts";
import { planResize } from "../../../src/core/images/resize_plan.ts";
import { assertAllClose, randomFloats } from "../../testing.ts";

Deno.test("mapToOriginal() moves a map by whole pixels when nothing was resized", () => {
  const { geometry } = planResize(10, 8, { resize: 8, crop: 4 });
  const data = randomFloats(1, 16);
  const map = mapToOriginal({ width: 4, height: 4, data }, geometry);
  assertEquals([map.width, map.height], [10, 8]);
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 10; x++) {
      const inside = x >= 3 && x < 7 && y >= 2 && y < 6;
      const expected = inside ? data[(y - 2) * 4 + x - 3]! : NaN;
      assertEquals(map.data[y * 10 + x], expected);
    }
  }
});

Deno.test("mapToOriginal() keeps a plane a plane, with NaN outside the crop", () => {
  const { geometry } = planResize(700, 500, { resize: 256, crop: 224 });
  // in the map: 3 · column of the original + 2 · row of the original + 1
  const { left, right, top, bottom } = geometry;
  const data = new Float32Array(224 * 224);
  for (let i = 0; i < data.length; i++) {
    const x = left + ((i % 224) + 0.5) / 224 * (right - left);
    const y = top + (Math.floor(i / 224) + 0.5) / 224 * (bottom - top);
    data[i] = 3 * x + 2 * y + 1;
  }
  const map = mapToOriginal({ width: 224, height: 224, data }, geometry);
  let known = 0;
  for (let y = 0; y < 500; y++) {
    for (let x = 0; x < 700; x++) {
      const value = map.data[y * 700 + x]!;
      const inside = x + 0.5 >= left && x + 0.5 < right &&
        y + 0.5 >= top && y + 0.5 < bottom;
      assertEquals(Number.isNaN(value), !inside);
      const deep = x > left + 2 && x < right - 3 && y > top + 2 &&
        y < bottom - 3;
      if (!deep) continue;
      known++;
      const expected = 3 * (x + 0.5) + 2 * (y + 0.5) + 1;
      assert(Math.abs(value - expected) < 0.01, `${x}, ${y}: ${value}`);
    }
  }
  assert(known > 100_000);
});

Deno.test("mapToOriginal() covers the whole image without a crop", () => {
  const { geometry } = planResize(50, 33, {
    resize: 16,
    crop: null,
    square: true,
  });
  const data = new Float32Array(256).fill(2.5);
  const map = mapToOriginal({ width: 16, height: 16, data }, geometry);
  assertAllClose(map.data, new Float32Array(50 * 33).fill(2.5));
});
