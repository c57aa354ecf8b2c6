import { assertEquals } from "@std/assert";
import { toNhwc } from "../../src/nn/layout.ts";
import { gatherChannels } from "../../src/wgsl/gather_channels.ts";
import * as reference from "../reference/gather_channels.ts";
import { floats } from "../reference/operands.ts";
import { assertAllClose, gpuTest } from "../testing.ts";
import {
  paddedSize,
  randomTensor,
  runKernel,
  withoutPadding,
} from "./run_kernel.ts";

interface Case {
  readonly shape: readonly [number, number, number, number];
  readonly picks: readonly number[];
}

const CASES: readonly Case[] = [
  { shape: [1, 1, 1, 1], picks: [0] },
  { shape: [1, 3, 9, 8], picks: [2, 1, 0] },
  { shape: [2, 3, 7, 5], picks: [1, 1, 2, 0, 2, 1, 0, 0, 2] },
  { shape: [3, 45, 3, 2], picks: [44, 0, 17, 3, 43] },
  {
    shape: [1, 70, 1, 33],
    picks: Array.from({ length: 70 }, (_, i) => i * 33 % 70),
  },
];

gpuTest("gather_channels equals the reference", async (gpu, t) => {
  for (const { shape, picks } of CASES) {
    await t.step(`[${picks}] of [${shape}]`, async () => {
      const [images, channels, height, width] = shape;
      const x = randomTensor(5, shape);
      const expected = reference.gatherChannels(x, picks);
      const y = await runKernel(
        gpu,
        gatherChannels,
        { pixels: images * height * width, channels, count: picks.length },
        { x: toNhwc(x.data, shape), picks: Float32Array.from(picks) },
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

gpuTest(
  "gather_channels lets a NaN into no channel but its own",
  async (gpu) => {
    const x = Float32Array.of(1, NaN, 3, 0, 4, 5, 6, 0);
    const y = await runKernel(
      gpu,
      gatherChannels,
      { pixels: 2, channels: 3, count: 3 },
      { x, picks: Float32Array.of(1, 2, 0) },
      8,
    );
    assertEquals([...y], [NaN, 3, 1, 0, 5, 6, 4, 0]);
  },
);
