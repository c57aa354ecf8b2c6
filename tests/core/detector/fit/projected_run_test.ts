import { assert, assertEquals, assertRejects } from "@std/assert";
import { encodePng } from "../../../../src/core/images/png.ts";
import type { Pixels } from "../../../../src/core/images/pixels.ts";
import type { FitOptions, FitPlan } from "../../../../src/core/mod.ts";
import { assertAllClose, gpuTest } from "../../../testing.ts";
import {
  budget,
  COARSE,
  COUNT,
  create,
  IMAGES,
  PROJECTED,
  SMALL,
  stream,
} from "./bounded_fit.ts";

gpuTest("fit() with projected features chooses the same bank", async (gpu) => {
  for (const start of ["mean-of-10", "random"] as const) {
    const coreset = { ...COARSE, start };
    const whole = await create(gpu, { coreset });
    const expected = await whole.fit(IMAGES);
    const other = whole.model;
    whole.dispose();
    gpu.pool.trim();
    using detector = await create(gpu, {
      coreset,
      memoryBudget: budget(gpu, PROJECTED),
    });
    const plans: FitPlan[] = [];
    const report = await detector.fit(IMAGES, {
      onPlan: (plan) => plans.push(plan),
    });
    assertEquals([plans[0]!.holds, plans[0]!.streamed], ["projections", false]);
    assert(report.peakGpuBytes <= report.plannedGpuBytes);
    assert(report.plannedGpuBytes < expected.plannedGpuBytes);
    for (
      const key of [
        ...["radius", "radiusBound", "radiusImages", "buckets", "patches"],
        ...["passes", "bankRows", "thresholdImages", "images"],
      ] as (keyof typeof report)[]
    ) assertEquals(report[key], expected[key], key);
    const { model } = detector;
    assertEquals(model.origin, other.origin);
    assertEquals(model.projection, other.projection);
    assertEquals(model.coverage, other.coverage);
    assertEquals(model.imageNames, other.imageNames);
    assertEquals(model.memoryBank, other.memoryBank);
    assertAllClose(model.trainScores, other.trainScores);
    for (const key of ["threshold", "mapThreshold"] as const) {
      assertEquals(model[key]!.rule, other[key]!.rule);
      assertAllClose([model[key]!.value], [other[key]!.value]);
    }
  }
});

gpuTest("fit() in bounded memory stops and frees what it had", async (gpu) => {
  const bytes = { projections: PROJECTED, buckets: SMALL };
  for (const holds of ["projections", "buckets"] as const) {
    const memoryBudget = budget(gpu, bytes[holds]);
    using detector = await create(gpu, { memoryBudget });
    const fit = (options: FitOptions) =>
      holds === "buckets"
        ? detector.fit(stream(), { ...COUNT, ...options })
        : detector.fit(IMAGES, options);
    await fit({ onPlan: (plan) => assertEquals(plan.holds, holds) });
    let before: number | undefined;
    for (const at of ["features", "coreset", "bank rows", "threshold"]) {
      if (at === "bank rows" && holds === "buckets") continue;
      const stop = new AbortController();
      const { message } = await assertRejects(() =>
        fit({
          signal: stop.signal,
          onProgress: (stage, done) => {
            if (stage === at && done >= 8) stop.abort(new Error("enough"));
          },
        }), Error);
      assertEquals(message, "enough", at);
      gpu.pool.trim();
      before ??= gpu.pool.bytes;
      assertEquals(gpu.pool.bytes, before, at);
    }
  }
});

gpuTest("fit() with projected features needs its images twice", async (gpu) => {
  let reads = 0;
  const content = async (): Promise<Uint8Array> => {
    if (++reads > 1) throw new Error("It is gone");
    return await encodePng(IMAGES[3]!.content as Pixels);
  };
  const images = IMAGES.with(3, { name: "fourth", content });
  const memoryBudget = budget(gpu, PROJECTED);
  using detector = await create(gpu, { memoryBudget });
  await assertRejects(
    () => detector.fit(images, { onImageError: () => {} }),
    Error,
    'Cannot fetch the memory bank\'s rows from "fourth" again: It is gone',
  );
});
