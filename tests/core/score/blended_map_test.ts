import { assert, assertEquals } from "@std/assert";
import { planTiles } from "../../../src/core/images/tiles.ts";
import {
  BlendedMap,
  tileWeights,
} from "../../../src/core/score/blended_map.ts";
import { assertAllClose, randomFloats } from "../../testing.ts";

Deno.test.each([
  { length: 40, side: 40, overlap: 10 },
  { length: 41, side: 40, overlap: 10 },
  { length: 100, side: 40, overlap: 0 },
  { length: 101, side: 40, overlap: 20 },
  { length: 333, side: 40, overlap: 13 },
])(
  "tileWeights() sum to 1 and fall evenly towards edges, $length by $side",
  ({ length, side, overlap }) => {
    const { columns } = planTiles(length, 1, {
      ...{ side, overlap, scale: 1, banks: "shared" },
    });
    const sums = new Float64Array(length);
    const weights = tileWeights(columns);
    weights.forEach((weight, i) => {
      weight.forEach((w, x) => sums[columns.offsets[i]! + x]! += w);
      const steps = weight.slice(1).map((w, x) => Math.abs(w - weight[x]!));
      if (overlap > 0) assert(Math.max(0, ...steps) <= 2 / overlap);
      const first = i > 0 && overlap > 0 ? 1 / overlap : 1;
      assert(weight[0]! <= first);
    });
    assertAllClose(sums, new Float64Array(length).fill(1), {
      rtol: 0,
      atol: 1e-6,
    });
    assertEquals(weights[0]![0], 1);
    assertEquals(weights.at(-1)!.at(-1), 1);
  },
);

Deno.test("BlendedMap gives back a plane that was cut into tiles", () => {
  const [width, height] = [97, 61];
  const grid = planTiles(width, height, {
    ...{ side: 32, overlap: 7, scale: 1, banks: "shared" },
  });
  const plane = randomFloats(1, width * height);
  const blended = new BlendedMap(grid);
  let place = 0;
  for (const top of grid.rows.offsets) {
    for (const left of grid.columns.offsets) {
      const tile = new Float32Array(32 * 32);
      for (let i = 0; i < tile.length; i++) {
        const [y, x] = [top + Math.floor(i / 32), left + i % 32];
        tile[i] = plane[y * width + x]!;
      }
      blended.add(place++, tile);
    }
  }
  assertEquals([blended.map.width, blended.map.height], [width, height]);
  assertAllClose(blended.map.data, plane, { rtol: 0, atol: 1e-6 });
});
