import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  inputSize,
  planTiles,
  planTilesOf,
  tileCounts,
} from "../../../src/core/images/tiles.ts";
import type { TileSettings } from "../../../src/core/settings/settings.ts";

const TILES: TileSettings = {
  side: 128,
  overlap: 32,
  scale: 1,
  banks: "shared",
};

function settingsOf(tiles: TileSettings) {
  return { tiles, resize: tiles.side, crop: null };
}

Deno.test("planTiles() covers an image with as few tiles as overlap enough", () => {
  for (const side of [1, 16, 100]) {
    for (const overlap of [0, 1, Math.floor(side / 3), Math.floor(side / 2)]) {
      if (2 * overlap > side) continue;
      for (const length of [side, side + 1, 2 * side, 3 * side + 7, 999]) {
        if (length < side) continue;
        const tiles = { ...TILES, side, overlap };
        const { columns: { offsets, ...axis } } = planTiles(length, 1, tiles);
        assertEquals(axis, { length, side });
        assertEquals(offsets[0], 0);
        assertEquals(offsets.at(-1)! + side, length);
        for (let i = 1; i < offsets.length; i++) {
          assert(offsets[i]! > offsets[i - 1]!);
          assert(offsets[i - 1]! + side - offsets[i]! >= overlap);
        }
        const fewer = offsets.length - 1;
        assert(fewer === 0 || fewer * side - (fewer - 1) * overlap < length);
      }
    }
  }
});

Deno.test("planTiles() cuts what is shorter than a tile to its length", () => {
  const { rows, columns } = planTiles(300, 90, TILES);
  assertEquals(rows, { length: 90, side: 90, offsets: [0] });
  assertEquals(columns, { length: 300, side: 128, offsets: [0, 86, 172] });
  const size = { width: 300, height: 90 };
  assertEquals(inputSize(size, settingsOf(TILES)), [90, 128]);
  assertEquals(tileCounts(size, settingsOf(TILES)), [1, 3]);
  assertEquals(tileCounts(size, {}), [1, 1]);
});

Deno.test("planTilesOf() says where tiles of a smaller image lie in the original", () => {
  const views = planTilesOf(400, 256, settingsOf({ ...TILES, scale: 0.5 }));
  assertEquals(
    views.map(({ geometry }) => geometry),
    [[0, 256], [144, 400]].map(([left, right]) => ({
      ...{ width: 400, height: 256, left: left!, right: right! },
      ...{ top: 0, bottom: 256 },
    })),
  );
});

Deno.test("planTiles() refuses tiles beyond all measure at once", () => {
  const tiles = { ...TILES, side: 2, overlap: 1 };
  const size = { width: 1e6, height: 1e6 };
  for (
    const plan of [
      () => planTiles(size.width, size.height, tiles),
      () => planTilesOf(size.width, size.height, settingsOf(tiles)),
      () => tileCounts(size, settingsOf(tiles)),
      () => inputSize(size, settingsOf(tiles)),
    ]
  ) {
    assertThrows(
      plan,
      RangeError,
      "Cannot cut an image of 1000000 × 1000000 pixels into 999999 × 999999 tiles of 2",
    );
  }
});
