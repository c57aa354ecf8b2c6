import { assertEquals, assertThrows } from "@std/assert";
import {
  drawRegion,
  Region,
  regionInWords,
  type RegionShape,
} from "../../../src/core/images/region.ts";
import type { RegionSetting } from "../../../src/core/settings/settings.ts";

const SIZE = { width: 7, height: 5 };

/** Rows of `#` and `.`. */
function shown(setting: RegionSetting): string[] {
  const { width, height } = setting;
  const bitmap = new Region(setting).bitmap();
  return Array.from(
    { length: height },
    (_, y) =>
      Array.from(
        bitmap.subarray(y * width, (y + 1) * width),
        (bit) => bit === 1 ? "#" : ".",
      ).join(""),
  );
}

Deno.test("drawRegion() joins what is inspected and cuts out what is ignored", () => {
  const region = drawRegion({
    ...SIZE,
    roi: [
      { kind: "box", x: 0, y: 0, width: 3, height: 2 },
      { kind: "box", x: 2, y: 1, width: 5, height: 3 },
    ],
    ignore: [{ kind: "box", x: 4, y: 2, width: 2, height: 1 }],
  });
  assertEquals(shown(region), [
    "###....",
    "#######",
    "..##..#",
    "..#####",
    ".......",
  ]);
  assertEquals(region.roi, ["0,0,3,2", "2,1,5,3"]);
  assertEquals(region.ignore, ["4,2,2,1"]);
  assertEquals(
    regionInWords(region),
    "51.4 % of 7 × 5 pixels: of 0,0,3,2 and 2,1,5,3, without 4,2,2,1",
  );
});

Deno.test("drawRegion() fills polygons by the centres of pixels, even-odd", () => {
  // A triangle whose long side passes through corners of pixels alone.
  const triangle: RegionShape = {
    kind: "polygon",
    points: [[0, 0], [5, 0], [0, 5]],
    name: "part.json",
  };
  assertEquals(shown(drawRegion({ ...SIZE, roi: [triangle] })), [
    "####...",
    "###....",
    "##.....",
    "#......",
    ".......",
  ]);
  // A line that crosses itself leaves out what it surrounds twice.
  const twice: RegionShape = {
    kind: "polygon",
    points: [
      ...[[0, 0], [7, 0], [7, 5], [0, 5], [0, 0]] as const,
      ...[[2, 1], [5, 1], [5, 4], [2, 4], [2, 1]] as const,
    ],
  };
  assertEquals(shown(drawRegion({ ...SIZE, roi: [twice] })), [
    "#######",
    "##...##",
    "##...##",
    "##...##",
    "#######",
  ]);
});

Deno.test("drawRegion() takes masks, and refuses what is empty or outside", () => {
  const data = new Uint8Array(35);
  data[9] = 1;
  data[17] = 255;
  const mask: RegionShape = { kind: "mask", ...SIZE, data };
  const { runs } = drawRegion({ ...SIZE, roi: [mask] });
  assertEquals(runs, [9, 1, 7, 1, 17]);
  const refused = (roi: RegionShape, text: string) =>
    assertThrows(() => drawRegion({ ...SIZE, roi: [roi] }), RangeError, text);
  refused({ ...mask, width: 5, height: 7 }, "the images have 7 × 5");
  refused({ ...mask, data: new Uint8Array(35) }, "no pixel is marked");
  refused({ kind: "box", x: 3, y: 0, width: 5, height: 1 }, "inside of 7 × 5");
  refused({ kind: "box", x: 0, y: 0, width: 0, height: 1 }, "inside of 7 × 5");
  refused({ kind: "polygon", points: [[0, 0], [7, 5]] }, "three corners");
  refused({ kind: "polygon", points: [[0, 0], [8, 0], [0, 5]] }, "inside of");
  assertThrows(
    () =>
      drawRegion({
        ...SIZE,
        ignore: [{ kind: "box", x: 0, y: 0, width: 7, height: 5 }],
      }),
    RangeError,
    "nothing of it is left",
  );
});

Deno.test("Region fits images of its shape, to less than a pixel, at any scale", () => {
  const region = new Region(drawRegion({ width: 400, height: 300 }));
  const fits = (width: number, height: number): boolean =>
    region.fits({ width, height });
  assertEquals(fits(400, 300), true);
  assertEquals(fits(200, 150), true);
  assertEquals(fits(4000, 3000), true);
  assertEquals(fits(133, 100), true);
  assertEquals(fits(300, 400), false);
  assertEquals(fits(400, 400), false);
  assertEquals(fits(4000, 2990), false);
});

Deno.test("Region scales with the image, each pixel by its centre", () => {
  const region = new Region(drawRegion({
    width: 4,
    height: 2,
    roi: [{ kind: "box", x: 1, y: 0, width: 2, height: 1 }],
  }));
  assertEquals(region.runs(8, 4), [2, 4, 4, 4, 18]);
  assertEquals(region.runs(4, 2), [1, 2, 5]);
  assertEquals(region.share, 0.25);
});

Deno.test("Region.blank() gives what is outside one colour and leaves the image", () => {
  const region = new Region(drawRegion({
    width: 3,
    height: 2,
    ignore: [{ kind: "box", x: 1, y: 0, width: 1, height: 2 }],
  }));
  const data = Uint8Array.from({ length: 24 }, (_, i) => i);
  const image = { width: 3, height: 2, data };
  const { data: blank } = region.blank(image);
  const mean = [124, 116, 104, 255];
  const of = (from: number) => Array.from(data.subarray(from, from + 4));
  assertEquals(Array.from(blank), [
    ...[...of(0), ...mean, ...of(8)],
    ...[...of(12), ...mean, ...of(20)],
  ]);
  assertEquals(data[4], 4);
  // Bytes that begin anywhere in their buffer.
  const shifted = new Uint8Array(25);
  shifted.set(data, 1);
  assertEquals(
    region.blank({ ...image, data: shifted.subarray(1) }).data,
    blank,
  );
});
