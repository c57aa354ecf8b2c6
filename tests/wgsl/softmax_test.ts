import { assertEquals } from "@std/assert";
import type { Gpu } from "../../src/gpu/mod.ts";
import { toNhwc } from "../../src/nn/layout.ts";
import { softmax } from "../../src/wgsl/softmax.ts";
import { floats } from "../reference/operands.ts";
import { Softmax } from "../reference/operators.ts";
import { assertAllClose, gpuTest } from "../testing.ts";
import {
  paddedSize,
  randomTensor,
  runKernel,
  withoutPadding,
} from "./run_kernel.ts";

async function check(
  gpu: Gpu,
  shape: readonly number[],
  scale: number,
  offset = 0,
): Promise<void> {
  const [images, channels, height, width] = shape as [
    number,
    number,
    number,
    number,
  ];
  const x = randomTensor(4, shape, scale);
  x.data.forEach((v, i) => x.data[i] = v + offset);
  const expected = Softmax([x], { axis: 1 });
  const sizes = { rows: images * height * width, channels };
  const y = await runKernel(gpu, softmax, sizes, {
    x: toNhwc(x.data, shape),
  }, paddedSize(shape));
  assertAllClose(
    withoutPadding(y, shape),
    floats(expected),
    { rtol: 1e-5, atol: 1e-7 },
  );
}

gpuTest("softmax equals the reference", async (gpu, t) => {
  for (
    const shape of [
      [1, 1, 1, 1],
      [2, 3, 1, 1],
      [1, 5, 7, 2],
      [2, 45, 3, 3],
      [3, 1000, 1, 1],
      [1, 512, 2, 7],
    ]
  ) {
    await t.step(`[${shape}]`, () => check(gpu, shape, 5));
  }
});

gpuTest(
  "softmax neither overflows nor vanishes at large values",
  async (gpu) => {
    await check(gpu, [2, 5, 2, 2], 3, 1000);
    await check(gpu, [2, 5, 2, 2], 3, -1000);
    await check(gpu, [1, 7, 1, 1], 80);
  },
);

gpuTest("softmax ignores what lies in the padding channels", async (gpu) => {
  const x = Float32Array.of(0, 0, 0, 1e6, 1, 1, 1, 1e6);
  const y = await runKernel(gpu, softmax, { rows: 2, channels: 3 }, { x }, 8);
  const third = Math.fround(1 / 3);
  assertEquals([...y], [third, third, third, 0, third, third, third, 0]);
});

gpuTest(
  "softmax folds more rows than one grid dimension holds",
  async (gpu) => {
    const rows = 65_535 * 8 + 9;
    const x = new Float32Array(rows * 4);
    x.forEach((_, i) => x[i] = Math.floor(i / 4) % 3 * (i % 4));
    const y = await runKernel(
      gpu,
      softmax,
      { rows, channels: 2 },
      { x },
      x.length,
    );
    const expected = new Float32Array(x.length);
    for (let row = 0; row < rows; row++) {
      const second = 1 / (1 + Math.exp(-(row % 3)));
      expected.set([1 - second, second], row * 4);
    }
    assertAllClose(y, expected, { rtol: 1e-5 });
  },
);
