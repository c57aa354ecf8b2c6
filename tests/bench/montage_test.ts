import { assert, assertEquals } from "@std/assert";
import {
  boxOf,
  defectsOf,
  drawnPart,
  highestNear,
  montage,
  withDefects,
} from "../../bench/montage.ts";
import { PatchCore } from "../../mod.ts";
import { gpuTest } from "../testing.ts";

Deno.test("montage() is decided by its seed and fills the tray", () => {
  const parts = [drawnPart(1, 1000), drawnPart(2, 1010)];
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
    const parts = [1, 2, 3].map((seed) => drawnPart(seed, 1000));
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

Deno.test("boxOf() bounds what is above the threshold at a defect alone", () => {
  const [width, height] = [60, 50];
  const data = new Float32Array(width * height);
  const fill = (left: number, top: number, side: number, value: number) => {
    for (let y = top; y < top + side; y++) {
      data.fill(value, y * width + left, y * width + left + side);
    }
  };
  fill(8, 10, 6, 2);
  fill(14, 16, 4, 3);
  fill(50, 0, 10, 9);
  const map = { width, height, data };
  const defect = { x: 11, y: 12, side: 4 };
  assertEquals(boxOf(map, defect, 1.5), {
    ...{ left: 8, top: 10, right: 18, bottom: 20 },
  });
  assertEquals(boxOf(map, defect, 2.5), {
    ...{ left: 14, top: 16, right: 18, bottom: 20 },
  });
  assertEquals(boxOf(map, defect, 4), undefined);
});
