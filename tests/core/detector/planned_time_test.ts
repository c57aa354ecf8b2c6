import { assert, assertEquals, assertRejects } from "@std/assert";
import { measureFit } from "../../../src/core/detector/planned_time.ts";
import { withOwnGpu } from "../../gpu/own_gpu.ts";
import { TINY_SETTINGS, tinyBackbone } from "../../tiny_model.ts";

const { resize: _, square: __, crop: ___, ...FEATURES } = TINY_SETTINGS;
const OPTIONS = {
  ...FEATURES,
  ...{ backbone: tinyBackbone(), batch: 2, tiles: 64 },
};
const IMAGES = { count: 200, width: 100, height: 70 };

Deno.test("measureFit() tells the seconds of a fit and keeps no memory", async () => {
  await withOwnGpu(async (gpu) => {
    const held: number[] = [];
    for (let i = 0; i < 2; i++) {
      const seconds = await measureFit(gpu, OPTIONS, IMAGES);
      assert(seconds > 0 && Number.isFinite(seconds), `${seconds} s`);
      gpu.pool.trim();
      held.push(gpu.pool.bytes);
    }
    assertEquals(held[1], held[0]);
  });
});

Deno.test("measureFit() throws what stands in the way of the fit", async () => {
  await withOwnGpu(async (gpu) => {
    const options = { ...OPTIONS, memoryBudget: 1000 };
    await assertRejects(
      () => measureFit(gpu, options, IMAGES),
      RangeError,
      "Cannot fit in 1000 bytes of memory",
    );
  });
});
