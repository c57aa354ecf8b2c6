import { assert, assertEquals } from "@std/assert";
import {
  defectsOf,
  highestNear,
  montage,
  withDefects,
} from "../../bench/montage.ts";
import { PatchCore, type Pixels } from "../../mod.ts";
import { gpuTest } from "../testing.ts";

/** A drawn surface: soft stripes and grain of a seed. */
function drawn(seed: number, side: number): Pixels {
  const data = new Uint8Array(side * side * 4).fill(255);
  let state = seed + 1;
  for (let i = 0; i < side * side; i++) {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    const level = 110 + 30 * Math.sin(i % side / 11) +
      20 * Math.sin(Math.floor(i / side) / 17) + (state >>> 27);
    data.fill(level, i * 4, i * 4 + 3);
  }
  return { width: side, height: side, data };
}

Deno.test("montage() is decided by its seed and fills the tray", () => {
  const parts = [drawn(1, 1000), drawn(2, 1010)];
  const tray = montage(parts, [1100, 300], 3);
  assertEquals([tray.width, tray.height], [1100, 300]);
  assertEquals(montage(parts, [1100, 300], 3), tray);
  assert(
    montage(parts, [1100, 300], 4).data.some((x, i) => x !== tray.data[i]),
  );
});

gpuTest(
  "small defects in a large image are found in tiles alone",
  async (gpu) => {
    const size = [720, 480] as const;
    const [width, height] = size;
    const parts = [1, 2, 3].map((seed) => drawn(seed, 1000));
    const train = [0, 1, 2, 3].map((seed) => ({
      name: `tray ${seed}`,
      content: montage(parts, size, seed),
    }));
    const good = montage(parts, size, 9);
    const defects = defectsOf({ width, height }, [8, 12, 16, 24]);
    const bad = withDefects(good, defects);
    const images = [{ name: "good", content: good }, {
      name: "bad",
      content: bad,
    }];
    using tiled = await PatchCore.create({
      ...{ backbone: "demo", gpu, tiles: 128, coreset: { maxBank: 400 } },
    });
    await tiled.fit(train);
    const [calm, found] = await Array.fromAsync(tiled.predict(images));
    assertEquals([calm!.label, found!.label], ["normal", "anomalous"]);
    for (const defect of defects) {
      const { map } = found!;
      assert(
        highestNear(map, defect) >= map.threshold!,
        `${defect.side} pixels`,
      );
      assert(highestNear(calm!.map, defect) < map.threshold!);
    }
    // The crop leaves out the corners, and the resize what is left.
    using whole = await PatchCore.create({
      ...{ backbone: "demo", gpu, resize: 128, crop: 112 },
    });
    await whole.fit(train);
    const [corner] = await Array.fromAsync(
      whole.predict([{
        name: "corners",
        content: withDefects(good, defects.slice(0, 4)),
      }]),
    );
    assertEquals(corner!.label, "normal");
  },
);
