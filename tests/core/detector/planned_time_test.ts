import { assert, assertEquals, assertRejects } from "@std/assert";
import { measureFit } from "../../../src/core/detector/planned_time.ts";
import { withOwnGpu } from "../../gpu/own_gpu.ts";
import { TINY_SETTINGS, tinyBackbone } from "../../tiny_model.ts";

const { resize: _, square: __, crop: ___, ...FEATURES } = TINY_SETTINGS;
const OPTIONS = {
  ...FEATURES,
  ...{ backbone: tinyBackbone(), batch: 2, tiles: 64 },
};

Deno.test("measureFit() tells the seconds of a fit that is not done", async () => {
  await withOwnGpu(async (gpu) => {
    const images = { count: 200, width: 100, height: 70 };
    const seconds = await measureFit(gpu, OPTIONS, images);
    assert(seconds > 0 && Number.isFinite(seconds), `${seconds} s`);
    gpu.pool.trim();
    assertEquals(gpu.pool.bytes, 0);
  });
});

Deno.test("measureFit() throws when an image is smaller than a tile", async () => {
  await withOwnGpu(async (gpu) => {
    await assertRejects(
      () => measureFit(gpu, OPTIONS, { count: 3, width: 50, height: 50 }),
      RangeError,
    );
  });
});
