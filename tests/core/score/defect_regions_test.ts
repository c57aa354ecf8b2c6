import { assert, assertEquals } from "@std/assert";
import { mapToOriginal } from "../../../src/core/images/map_geometry.ts";
import { planExtents } from "../../../src/core/images/resize_plan.ts";
import {
  defectRegions,
  type JudgedAnomalyMap,
  largestArea,
} from "../../../src/core/score/defect_regions.ts";
import { Mt19937 } from "../../../src/core/settings/random.ts";

/** A smooth random map of 32 × 32 over the crop of an image. */
function someMap(
  seed: number,
  [width, height]: readonly [number, number],
): JudgedAnomalyMap {
  const random = new Mt19937(seed);
  const { geometry } = planExtents(width, height, { resize: 40, crop: 32 });
  const waves = Array.from({ length: 6 }, () => ({
    x: random.float64() * 0.6,
    y: random.float64() * 0.6,
    phase: random.float64() * 7,
  }));
  const data = Float32Array.from({ length: 32 * 32 }, (_, i) =>
    waves.reduce(
      (sum, { x, y, phase }) =>
        sum + Math.sin(x * (i % 32) + y * Math.floor(i / 32) + phase),
      3,
    ));
  // A corner that is not inspected.
  for (let y = 0; y < 9; y++) data.fill(NaN, y * 32, y * 32 + 11);
  return { width: 32, height: 32, data, geometry, threshold: 4.4 };
}

/** Regions by growing each from its first pixel over the whole image. */
function grown(map: JudgedAnomalyMap): { box: string; area: number }[] {
  const { width, height, data } = mapToOriginal(map, map.geometry);
  const left = new Set<number>();
  data.forEach((value, i) => {
    if (value >= map.threshold!) left.add(i);
  });
  const regions: { box: string; area: number; peak: number }[] = [];
  for (const first of left) {
    const open = [first];
    const xs: number[] = [];
    const ys: number[] = [];
    let peak = -Infinity;
    left.delete(first);
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const x = at % width;
      const y = Math.floor(at / width);
      xs.push(x);
      ys.push(y);
      peak = Math.max(peak, data[at]!);
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          const next = at + dy * width + dx;
          const isNear = x + dx >= 0 && x + dx < width && y + dy >= 0 &&
            y + dy < height;
          if (isNear && left.delete(next)) open.push(next);
        }
      }
    }
    const [x, y] = [Math.min(...xs), Math.min(...ys)];
    const box = [x, y, Math.max(...xs) + 1 - x, Math.max(...ys) + 1 - y].join();
    regions.push({ box, area: xs.length, peak });
  }
  return regions.sort((a, b) => b.peak - a.peak)
    .map(({ box, area }) => ({ box, area }));
}

for (const size of [[40, 40], [97, 61], [25, 30]] as const) {
  Deno.test(`defectRegions() finds what grows from every pixel: ${size.join(" × ")}`, () => {
    let most = 0;
    for (let seed = 0; seed < 12; seed++) {
      const map = someMap(seed, size);
      const regions = defectRegions(map);
      assertEquals(
        regions.map(({ x, y, width, height, area }) => ({
          box: [x, y, width, height].join(),
          area,
        })),
        grown(map),
      );
      most = Math.max(most, regions.length);
      assertEquals(
        largestArea(map),
        Math.max(0, ...regions.map(({ area }) => area)),
      );
      const original = mapToOriginal(map, map.geometry);
      for (const { peak, peakX, peakY, contour, ...box } of regions) {
        assertEquals(original.data[peakY * size[0] + peakX], peak);
        const slack = (map.geometry.right - map.geometry.left) / 64;
        assert(contour.length >= 3);
        for (const [x, y] of contour) {
          assert(x >= box.x - slack && x <= box.x + box.width + slack);
          assert(y >= box.y - slack && y <= box.y + box.height + slack);
        }
      }
    }
    assert(most > 1);
  });
}

Deno.test("defectRegions() is empty where nothing is at the threshold, or there is none", () => {
  const map = someMap(1, [40, 40]);
  assertEquals(defectRegions({ ...map, threshold: 99 }), []);
  assertEquals(defectRegions({ ...map, threshold: null }), []);
  assertEquals(largestArea({ ...map, threshold: null }), 0);
});
