import { assert, assertEquals, assertThrows } from "@std/assert";
import type { FloatImage, Pixels } from "../../../src/core/images/pixels.ts";
import {
  colorMap,
  drawBoxes,
  drawOverlay,
  mapToGrey16,
  thresholdMask,
} from "../../../src/core/images/overlay.ts";

function grey(width: number, height: number, level: number): Pixels {
  const data = new Uint8Array(width * height * 4).fill(level)
    .map((value, i) => i % 4 === 3 ? 255 : value);
  return { width, height, data };
}

function pixel({ width, data }: Pixels, x: number, y: number): number[] {
  const at = (y * width + x) * 4;
  return Array.from(data.subarray(at, at + 4));
}

/** 40 × 30, 0 but for `value` in [10, 30) × [10, 20). */
function boxMap(value: number): FloatImage {
  const data = new Float32Array(40 * 30);
  for (let y = 10; y < 20; y++) data.fill(value, y * 40 + 10, y * 40 + 30);
  return { width: 40, height: 30, data };
}

Deno.test("drawOverlay() darkens what was not looked at, in stripes", () => {
  const image = grey(40, 30, 90);
  const drawn = drawOverlay(image, boxMap(NaN), {
    ...{ min: 0, max: 2, threshold: 1 },
  });
  const levels = new Set<number>();
  for (let y = 0; y < 30; y++) {
    for (let x = 0; x < 40; x++) {
      const isUnseen = x >= 10 && x < 30 && y >= 10 && y < 20;
      const [level, , , alpha] = pixel(drawn, x, y);
      assertEquals(alpha, 255);
      if (isUnseen) levels.add(level!);
      else assertEquals(level, 90);
    }
  }
  assertEquals([...levels].sort((a, b) => a - b), [31, 50]);
});

Deno.test("drawBoxes() draws frames outside of boxes, as far as the image goes", () => {
  const image = grey(12, 9, 50);
  const line = [0, 229, 255, 255];
  const box = { x: 3, y: 2, width: 4, height: 3 };
  const drawn = drawBoxes(image, [box, { x: 10, y: 7, width: 2, height: 2 }]);
  for (let y = 0; y < 9; y++) {
    for (let x = 0; x < 12; x++) {
      const isFrame = x >= 2 && x < 8 && y >= 1 && y < 6 &&
          !(x >= 3 && x < 7 && y >= 2 && y < 5) ||
        x >= 9 && y >= 6 && !(x >= 10 && y >= 7);
      assertEquals(
        pixel(drawn, x, y),
        isFrame ? line : [50, 50, 50, 255],
        `${x}, ${y}`,
      );
    }
  }
  assertEquals(image.data, grey(12, 9, 50).data);
});

Deno.test("drawOverlay() leaves the image where the map is calm", () => {
  const image = grey(40, 30, 90);
  for (const value of [0, 0.75, -3]) {
    const map = boxMap(value);
    const drawn = drawOverlay(image, map, { min: 0, max: 2, threshold: 1 });
    assertEquals(drawn.data, image.data);
  }
});

Deno.test("drawOverlay() colours above three quarters of the threshold and outlines above it", () => {
  const image = grey(40, 30, 90);
  const options = { min: 0, max: 2, threshold: 1 };
  const warm = drawOverlay(image, boxMap(0.9), options);
  assertEquals(pixel(warm, 9, 10), [90, 90, 90, 255]);
  assert(pixel(warm, 10, 10)[0]! > 90);
  assertEquals(pixel(warm, 10, 10), pixel(warm, 20, 15));

  const hot = drawOverlay(image, boxMap(2), { ...options, opacity: 1 });
  const line = [0, 229, 255, 255];
  assertEquals(pixel(hot, 9, 15), [90, 90, 90, 255]);
  for (const [x, y] of [[10, 15], [29, 15], [20, 10], [20, 19]] as const) {
    assertEquals(pixel(hot, x, y), line);
  }
  // the last colour of inferno, #fcffa4
  assertEquals(pixel(hot, 20, 15), [252, 255, 164, 255]);
  assertEquals(image.data, grey(40, 30, 90).data);
});

Deno.test("drawOverlay() draws no line along the image's own border", () => {
  const image = grey(6, 6, 0);
  const data = new Float32Array(36).fill(5);
  const map = { width: 6, height: 6, data };
  const drawn = drawOverlay(image, map, { min: 0, max: 5, threshold: 1 });
  assertEquals(pixel(drawn, 0, 0), pixel(drawn, 3, 3));
});

Deno.test("drawOverlay() uses one scale whatever the map's range", () => {
  const options = { min: 0, max: 10, threshold: 1 };
  const image = grey(40, 30, 90);
  const low = drawOverlay(image, boxMap(3), options);
  const map = boxMap(3);
  map.data[0] = 10;
  const mixed = drawOverlay(image, map, options);
  assertEquals(pixel(low, 20, 15), pixel(mixed, 20, 15));
});

Deno.test("drawOverlay() refuses other sizes and an empty scale", () => {
  const options = { min: 0, max: 2, threshold: 1 };
  assertThrows(
    () => drawOverlay(grey(30, 40, 0), boxMap(1), options),
    RangeError,
    "expected the same size",
  );
  assertThrows(
    () => drawOverlay(grey(40, 30, 0), boxMap(1), { ...options, min: 2 }),
    RangeError,
    "expected the maximum above the minimum",
  );
});

Deno.test("thresholdMask() is 255 at the threshold and above, not where NaN", () => {
  const data = Float32Array.of(0, 0.5, 1, NaN, -1, 7);
  const { grey } = thresholdMask({ width: 3, height: 2, data }, 0.5);
  assertEquals(grey, Uint8Array.of(0, 255, 255, 0, 0, 255));
});

Deno.test("mapToGrey16() spans the scale, clamps, and makes NaN 0", () => {
  const data = Float32Array.of(-1, 0, 1, 2, 3, NaN);
  const image = mapToGrey16({ width: 3, height: 2, data }, { min: 0, max: 2 });
  assertEquals(image.grey, Uint16Array.of(0, 0, 32_768, 65_535, 65_535, 0));
});

Deno.test("colorMap() runs from black to pale yellow and leaves NaN transparent", () => {
  const map = {
    width: 4,
    height: 1,
    data: Float32Array.of(0, 2, 5, NaN),
  };
  const { data } = colorMap(map, { min: 0, max: 2 });
  assertEquals([...data], [
    ...[0, 0, 4, 255],
    ...[252, 255, 164, 255],
    ...[252, 255, 164, 255],
    ...[0, 0, 0, 0],
  ]);
});
