import { assertEquals, assertThrows } from "@std/assert";
import { PatchCore, type Stage } from "../../../src/core/mod.ts";
import { reportImageError } from "../../../src/core/features/progress.ts";
import { GpuLostError } from "../../../src/gpu/errors.ts";
import { gpuTest } from "../../testing.ts";
import { TINY_SETTINGS, tinyBackbone, tinyImages } from "../../tiny_model.ts";

gpuTest(
  "PatchCore.fit() stops in every stage when it is aborted, and frees what it had",
  async (gpu) => {
    using detector = await PatchCore.create({
      ...TINY_SETTINGS,
      backbone: tinyBackbone(),
      allowRandom: true,
      gpu,
    });
    const { train } = tinyImages(3);
    await detector.fit(train);
    const stages = new Set<Stage>();
    await detector.fit(train, { onProgress: (stage) => stages.add(stage) });
    assertEquals(stages.size, 4);
    let before: number | undefined;
    for (const at of stages) {
      const stop = new AbortController();
      const fitting = detector.fit(train, {
        signal: stop.signal,
        onProgress: (stage) => {
          if (stage === at) stop.abort(new Error("enough"));
        },
      });
      const aborted = await fitting.then(
        () => "fitted",
        (error) => error.message,
      );
      // What is told of last has nothing after it to stop.
      if (at !== "map threshold") assertEquals(aborted, "enough", at);
      gpu.pool.trim();
      before ??= gpu.pool.bytes;
      if (at !== "map threshold") assertEquals(gpu.pool.bytes, before, at);
    }
    const { signal } = new AbortController();
    await detector.fit(train, { signal });
  },
);

gpuTest("Gpu.read() gives other tasks a turn during long work", async (gpu) => {
  const tensor = gpu.upload(new Float32Array(4));
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  for (let i = 0; i < 5; i++) {
    for (const end = performance.now() + 50; performance.now() < end;);
    await gpu.read(tensor);
  }
  clearInterval(timer);
  tensor.dispose();
  assertEquals(turns > 0, true);
});

Deno.test("reportImageError() blames no image for the loss of the device", () => {
  const told: string[] = [];
  const onImageError = (name: string) => void told.push(name);
  const lost = new GpuLostError("The GPU device was lost");
  assertThrows(
    () => reportImageError("a.png", lost, { onImageError }),
    GpuLostError,
  );
  reportImageError("b.png", new Error("Cannot decode"), { onImageError });
  assertEquals(told, ["b.png"]);
});
