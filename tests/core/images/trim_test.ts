import { assertEquals } from "@std/assert";
import type { Pixels } from "../../../src/core/images/pixels.ts";
import { Preprocessor } from "../../../src/core/images/preprocess.ts";
import { planWeights } from "../../../src/core/images/resize_plan.ts";
import { planTilesOf } from "../../../src/core/images/tiles.ts";
import { trimmed } from "../../../src/core/images/trim.ts";
import type { TileSettings } from "../../../src/core/settings/settings.ts";
import { gpuTest, randomFloats } from "../../testing.ts";

const TILES: TileSettings = {
  side: 40,
  overlap: 10,
  scale: 1,
  banks: "shared",
};

function settingsOf(tiles: TileSettings) {
  return { tiles, resize: tiles.side, crop: null };
}

function image(width: number, height: number): Pixels {
  const data = Uint8Array.from(
    randomFloats(5, width * height * 4),
    (value) => value * 128 + 128,
  );
  return { width, height, data };
}

Deno.test("trimmed() copies the part that a tile needs, under one key for all", () => {
  const { width, height, data } = image(300, 200);
  const words = new Uint32Array(data.buffer as ArrayBuffer);
  const views = planTilesOf(width, height, settingsOf(TILES)).map((plan) =>
    planWeights(plan)
  );
  const parts = views.map((view) => trimmed(words, view, { isDry: false }));
  assertEquals(new Set(parts.map(({ key }) => key)).size, 1);
  for (const [i, { words: part, plan }] of parts.entries()) {
    assertEquals([part.length, plan.rows.from, plan.columns.from], [
      1600,
      0,
      0,
    ]);
    const { left, top } = views[i]!.geometry;
    for (const at of [0, 39, 41, 1599]) {
      const [y, x] = [top + Math.floor(at / 40), left + at % 40];
      assertEquals(part[at], words[y * width + x]);
    }
  }
  const [whole] = planTilesOf(50, 50, settingsOf({ ...TILES, side: 50 }));
  const all = new Uint32Array(2500);
  const same = trimmed(all, planWeights(whole!), { isDry: false });
  assertEquals(same.words === all, true);
});

for (const scale of [1, 0.5, 0.37]) {
  gpuTest(
    `tiles at the scale ${scale} are parts of the whole image`,
    async (gpu) => {
      const pixels = image(301, 203);
      const large = settingsOf({ ...TILES, side: 4096, scale });
      using whole = new Preprocessor(gpu, large);
      const { tensor } = await whole.encode([pixels]);
      const expected = await gpu.readFloats(tensor);
      const [, height, width] = tensor.shape as [number, number, number];
      const tiles = settingsOf({ ...TILES, scale });
      const views = planTilesOf(pixels.width, pixels.height, tiles);
      using cut = new Preprocessor(gpu, tiles);
      const parts = views.map((plan) => ({ pixels, plan }));
      const encoded = await cut.encodeParts(parts);
      const found = await gpu.readFloats(encoded.tensor);
      views.forEach(({ rows, columns }, tile) => {
        for (let y = 0; y < rows.length; y++) {
          const from = ((rows.offset + y) * width + columns.offset) * 4;
          const to = (tile * rows.length + y) * columns.length * 4;
          assertEquals(
            found.subarray(to, to + columns.length * 4),
            expected.subarray(from, from + columns.length * 4),
          );
        }
      });
      assertEquals([height, width], [
        Math.round(203 * scale),
        Math.round(301 * scale),
      ]);
    },
  );
}
