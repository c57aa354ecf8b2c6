import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  checkRegion,
  regionGrid,
} from "../../../src/core/features/region_grid.ts";
import { drawRegion } from "../../../src/core/images/region.ts";
import { planExtents } from "../../../src/core/images/resize_plan.ts";
import { resolveSettings } from "../../../src/core/settings/resolve_settings.ts";
import type { RegionSetting } from "../../../src/core/settings/settings.ts";

const INPUT = [224, 224] as const;
const GRID = [28, 28] as const;

/** Cells that hold a part of a marked pixel, cell by pixel. */
function touched(
  region: RegionSetting,
  [height, width]: readonly [number, number],
): number[] {
  const { geometry: box } = planExtents(
    region.width,
    region.height,
    resolveSettings({}),
  );
  const marked: [number, number][] = [];
  let at = 0;
  region.runs.forEach((run, i) => {
    for (let k = 0; k < run; k++, at++) {
      if (i % 2 === 0) continue;
      marked.push([at % region.width, Math.floor(at / region.width)]);
    }
  });
  return Array.from({ length: height * width }, (_, cell) => cell).filter(
    (cell) => {
      const across = (box.right - box.left) / width;
      const down = (box.bottom - box.top) / height;
      const left = box.left + (cell % width) * across;
      const top = box.top + Math.floor(cell / width) * down;
      return marked.some(([x, y]) =>
        x < left + across - 1e-6 && x + 1 > left + 1e-6 &&
        y < top + down - 1e-6 && y + 1 > top + 1e-6
      );
    },
  );
}

Deno.test("regionGrid() takes patches and pixels that any part of the region is in", () => {
  const region = drawRegion({
    width: 300,
    height: 200,
    roi: [
      { kind: "box", x: 100, y: 80, width: 3, height: 2 },
      { kind: "box", x: 180, y: 20, width: 1, height: 1 },
    ],
  });
  const settings = resolveSettings({ region });
  const found = regionGrid(settings, INPUT, GRID)!;
  assertEquals([...found.places], touched(region, GRID));
  assertEquals([...found.pixels], touched(region, INPUT));
  assert(found.places.length >= 2 && found.places.length < 10);
});

Deno.test("regionGrid() gives every other place a nearest patch", () => {
  const region = drawRegion({
    width: 256,
    height: 256,
    roi: [
      { kind: "box", x: 40, y: 40, width: 30, height: 30 },
      { kind: "box", x: 180, y: 150, width: 20, height: 60 },
    ],
  });
  const { places, slots } = regionGrid(
    resolveSettings({ region }),
    INPUT,
    GRID,
  )!;
  const steps = (a: number, b: number): number =>
    Math.max(
      Math.abs(a % 28 - b % 28),
      Math.abs(Math.floor(a / 28) - Math.floor(b / 28)),
    );
  slots.forEach((slot, place) => {
    const least = Math.min(...places.values().map((own) => steps(own, place)));
    assertEquals(steps(places[slot]!, place), least);
  });
  places.forEach((place, slot) => assertEquals(slots[place], slot));
});

Deno.test("regionGrid() is nothing without a region, and refuses what no image shows", () => {
  assertEquals(regionGrid(resolveSettings({}), INPUT, GRID), undefined);
  const corner = drawRegion({
    width: 256,
    height: 256,
    roi: [{ kind: "box", x: 0, y: 0, width: 10, height: 10 }],
  });
  const hidden = resolveSettings({ region: corner });
  for (
    const look of [
      () => regionGrid(hidden, INPUT, GRID),
      () => checkRegion(hidden),
    ]
  ) assertThrows(look, RangeError, "the crop cuts it off");
  checkRegion(resolveSettings({ region: corner, crop: null }));
  const settings = resolveSettings({
    region: drawRegion({ width: 300, height: 200 }),
    crop: null,
  });
  assertThrows(
    () => regionGrid(settings, [256, 256], [32, 32]),
    RangeError,
    "they become 384 × 256",
  );
});
