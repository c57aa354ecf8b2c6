import { assert, assertEquals } from "@std/assert";
import { topMean } from "../../src/wgsl/mod.ts";
import { assertAllClose, gpuTest, randomFloats } from "../testing.ts";
import { runBindings } from "./run_bindings.ts";

for (
  const { images, patches, count } of [
    { images: 1, patches: 1, count: 1 },
    { images: 3, patches: 64, count: 1 },
    { images: 2, patches: 65, count: 65 },
    { images: 4, patches: 1024, count: 10 },
    { images: 1, patches: 2304, count: 23 },
  ]
) {
  gpuTest(
    `top_mean is the mean of the ${count} largest of ${images} × ${patches}`,
    async (gpu) => {
      const values = randomFloats(count, images * patches)
        // Many are equal, many are 0.
        .map((x) => Math.max(0, Math.round(x * 50) / 50));
      const { scores } = await runBindings(
        gpu,
        topMean,
        { images, patches, count },
        { patch_scores: values, scores: new Float32Array(images) },
      );
      const expected = Array.from({ length: images }, (_, image) => {
        const own = values.slice(image * patches, (image + 1) * patches);
        return own.sort((a, b) => b - a).subarray(0, count)
          .reduce((sum, x) => sum + x, 0) / count;
      });
      assertAllClose(scores!, expected);
    },
  );
}

gpuTest("top_mean tells of a score that is no number", async (gpu) => {
  const values = new Float32Array(200).fill(1);
  values[150] = NaN;
  const { scores } = await runBindings(
    gpu,
    topMean,
    { images: 2, patches: 100, count: 3 },
    { patch_scores: values, scores: new Float32Array(2) },
  );
  assertEquals(scores![0], 1);
  assert(Number.isNaN(scores![1]));
});
