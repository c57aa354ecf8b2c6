import { toNhwc } from "../../src/nn/layout.ts";
import { pad2d, type Pad2dSizes } from "../../src/wgsl/pad2d.ts";
import { Pad } from "../reference/operators.ts";
import { floats, tensor } from "../reference/operands.ts";
import { assertAllClose, gpuTest } from "../testing.ts";
import {
  paddedSize,
  randomTensor,
  runKernel,
  withoutPadding,
} from "./run_kernel.ts";

interface Case {
  readonly shape: readonly [number, number, number, number];
  /** top, left, bottom, right */
  readonly pads: readonly [number, number, number, number];
}

const CASES: readonly Case[] = [
  { shape: [1, 1, 2, 2], pads: [1, 1, 1, 1] },
  { shape: [2, 5, 7, 6], pads: [0, 1, 3, 2] },
  { shape: [1, 45, 14, 3], pads: [2, 2, 0, 0] },
  { shape: [2, 3, 7, 7], pads: [0, 0, 0, 0] },
];

const CROPPING: readonly Case[] = [
  { shape: [1, 3, 7, 6], pads: [-1, -2, -3, -1] },
  { shape: [2, 5, 7, 6], pads: [-1, 2, 3, -2] },
  { shape: [1, 4, 2, 2], pads: [-1, -1, 0, 0] },
];

gpuTest("pad2d equals the reference", async (gpu, t) => {
  const run = async (
    { shape, pads }: Case,
    mode: Pad2dSizes["mode"],
    value = 0,
  ): Promise<void> => {
    const [images, channels, height, width] = shape;
    const [top, left, bottom, right] = pads;
    const x = randomTensor(3, shape);
    const all = tensor([8], [0, 0, top, left, 0, 0, bottom, right]);
    const expected = Pad([x, all, tensor([], [value])], { mode });
    const [, , outHeight, outWidth] = expected.shape;
    const y = await runKernel(
      gpu,
      pad2d,
      {
        images,
        channels,
        input: [height, width],
        output: [outHeight!, outWidth!],
        pads: [top, left],
        mode,
        value,
      },
      { x: toNhwc(x.data, shape) },
      paddedSize(expected.shape),
    );
    assertAllClose(
      withoutPadding(y, expected.shape),
      floats(expected),
      { rtol: 0, atol: 0 },
    );
  };
  for (const testCase of [...CASES, ...CROPPING]) {
    const what = `[${testCase.shape}] pads ${testCase.pads}`;
    await t.step(`constant 0 ${what}`, () => run(testCase, "constant"));
    await t.step(
      `constant -2.5 ${what}`,
      () => run(testCase, "constant", -2.5),
    );
    await t.step(`edge ${what}`, () => run(testCase, "edge"));
    const small = testCase.shape[2] <= Math.max(...testCase.pads) ||
      testCase.shape[3] <= Math.max(...testCase.pads);
    if (small) continue;
    await t.step(`reflect ${what}`, () => run(testCase, "reflect"));
  }
});
