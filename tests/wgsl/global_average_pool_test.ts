import { toNhwc } from "../../src/nn/layout.ts";
import { globalAveragePool } from "../../src/wgsl/global_average_pool.ts";
import { floats } from "../reference/operands.ts";
import { GlobalAveragePool } from "../reference/operators.ts";
import { assertAllClose, gpuTest } from "../testing.ts";
import {
  paddedSize,
  randomTensor,
  runKernel,
  withoutPadding,
} from "./run_kernel.ts";

const SHAPES = [
  [1, 1, 1, 1],
  [2, 3, 2, 7],
  [1, 5, 1, 33],
  [3, 45, 7, 7],
  [2, 512, 14, 14],
  [1, 4, 224, 224],
];

gpuTest("global_average_pool equals the reference", async (gpu, t) => {
  for (const shape of SHAPES) {
    await t.step(`[${shape}]`, async () => {
      const [images, channels, height, width] = shape as [
        number,
        number,
        number,
        number,
      ];
      const x = randomTensor(2, shape);
      const expected = GlobalAveragePool([x]);
      const sizes = {
        images,
        pixels: height * width,
        channels4: Math.ceil(channels / 4),
      };
      const y = await runKernel(gpu, globalAveragePool, sizes, {
        x: toNhwc(x.data, shape),
      }, paddedSize(expected.shape));
      assertAllClose(
        withoutPadding(y, expected.shape),
        floats(expected),
        { rtol: 1e-5, atol: 6e-8 * Math.sqrt(sizes.pixels) },
      );
    });
  }
});
