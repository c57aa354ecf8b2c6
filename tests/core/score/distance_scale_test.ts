import { assertEquals } from "@std/assert";
import {
  meanOfLargest,
  sharesTop,
} from "../../../src/core/score/distance_scale.ts";
import { resolveSettings } from "../../../src/core/settings/resolve_settings.ts";

Deno.test("meanOfLargest() counts the largest scores of all tiles, whose they are", () => {
  const tiles = [
    Float32Array.of(1, 9, 2, 8),
    Float32Array.of(0, 0, 1, 0),
    Float32Array.of(7, 3, 3, 3),
  ];
  assertEquals(meanOfLargest(tiles, 1), 9);
  assertEquals(meanOfLargest(tiles, 3), 8);
  assertEquals(meanOfLargest(tiles, 12), 37 / 12);
  assertEquals(meanOfLargest([[4], []], 2), 2);
});

Deno.test("meanOfLargest() is NaN when a score is", () => {
  assertEquals(meanOfLargest([[1, 2], [NaN, 3]], 1), NaN);
});

Deno.test("sharesTop() is true for tiles with a share of the patches alone", () => {
  const share = { reweight: 0, topShare: 0.01 };
  const kinds = [{}, { tiles: 64 }, share, { tiles: 64, ...share }];
  assertEquals(
    kinds.map((options) => sharesTop(resolveSettings(options))),
    [false, false, false, true],
  );
});
