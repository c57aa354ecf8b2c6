import { toNhwc } from "../../src/nn/layout.ts";
import { slice } from "../../src/wgsl/slice.ts";
import { Slice } from "../reference/operators.ts";
import { floats, tensor } from "../reference/operands.ts";
import { assertAllClose, gpuTest } from "../testing.ts";
import {
  paddedSize,
  randomTensor,
  runKernel,
  withoutPadding,
} from "./run_kernel.ts";

type Triple = readonly [number, number, number];

interface Case {
  readonly shape: readonly [number, number, number, number];
  readonly starts: Triple;
  readonly ends: Triple;
  readonly steps: Triple;
}

const ONE: Triple = [1, 1, 1];

const CASES: readonly Case[] = [
  { shape: [1, 1, 1, 1], starts: [0, 0, 0], ends: [1, 1, 1], steps: ONE },
  { shape: [2, 5, 7, 6], starts: [1, 2, 3], ends: [4, 6, 5], steps: ONE },
  { shape: [2, 45, 3, 2], starts: [22, 0, 0], ends: [45, 3, 2], steps: ONE },
  {
    shape: [1, 9, 8, 33],
    starts: [1, 0, 1],
    ends: [9, 8, 33],
    steps: [3, 2, 4],
  },
  {
    shape: [2, 6, 5, 7],
    starts: [5, 4, 6],
    ends: [-7, -6, -8],
    steps: [-2, -1, -3],
  },
];

gpuTest("slice equals the reference", async (gpu, t) => {
  for (const { shape, starts, ends, steps } of CASES) {
    await t.step(`[${shape}] from ${starts} by ${steps}`, async () => {
      const [images, ...input] = shape;
      const x = randomTensor(4, shape);
      const expected = Slice([
        x,
        ...[starts, ends, [1, 2, 3], steps].map((list) => tensor([3], list)),
      ]);
      const [, channels = 0, height = 0, width = 0] = expected.shape;
      const y = await runKernel(
        gpu,
        slice,
        { images, input, output: [channels, height, width], starts, steps },
        { x: toNhwc(x.data, shape) },
        paddedSize(expected.shape),
      );
      assertAllClose(
        withoutPadding(y, expected.shape),
        floats(expected),
        { rtol: 0, atol: 0 },
      );
    });
  }
});
