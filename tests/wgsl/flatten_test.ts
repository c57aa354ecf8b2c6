import { assertEquals } from "@std/assert";
import { toNhwc } from "../../src/nn/layout.ts";
import { flatten } from "../../src/wgsl/flatten.ts";
import { floats } from "../reference/operands.ts";
import { Flatten } from "../reference/operators.ts";
import { gpuTest } from "../testing.ts";
import {
  paddedSize,
  randomTensor,
  runKernel,
  withoutPadding,
} from "./run_kernel.ts";

gpuTest("flatten yields rows in NCHW order", async (gpu, t) => {
  for (
    const shape of [
      [1, 1, 1, 1],
      [3, 5, 1, 1],
      [2, 3, 7, 2],
      [2, 45, 3, 5],
      [1, 512, 7, 7],
      [2, 1, 33, 14],
    ]
  ) {
    await t.step(`[${shape}]`, async () => {
      const [images, channels, height, width] = shape as [
        number,
        number,
        number,
        number,
      ];
      const x = randomTensor(5, shape);
      const expected = Flatten([x]);
      const sizes = { images, pixels: height * width, channels };
      const y = await runKernel(gpu, flatten, sizes, {
        x: toNhwc(x.data, shape),
      }, paddedSize(expected.shape));
      assertEquals(withoutPadding(y, expected.shape), floats(expected));
    });
  }
});
