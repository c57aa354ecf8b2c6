import { assertEquals } from "@std/assert";
import type { Gpu } from "../../src/gpu/mod.ts";
import { toNhwc } from "../../src/nn/layout.ts";
import { pool2d } from "../../src/wgsl/pool2d.ts";
import { type Attributes, floats } from "../reference/operands.ts";
import { AveragePool, MaxPool } from "../reference/operators.ts";
import { assertAllClose, gpuTest } from "../testing.ts";
import {
  paddedSize,
  randomTensor,
  runKernel,
  withoutPadding,
} from "./run_kernel.ts";

type Pair = readonly [number, number];

interface Case {
  /** images, channels, height, width */
  readonly shape: readonly [number, number, number, number];
  readonly kernel_shape: Pair;
  readonly strides?: Pair;
  readonly dilations?: Pair;
  /** top, left, bottom, right */
  readonly pads?: readonly [number, number, number, number];
  readonly ceil_mode?: 1;
}

const CASES: readonly Case[] = [
  { shape: [1, 1, 1, 1], kernel_shape: [1, 1] },
  {
    shape: [2, 64, 14, 14],
    kernel_shape: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
  },
  { shape: [1, 5, 7, 6], kernel_shape: [2, 3] },
  { shape: [1, 45, 33, 2], kernel_shape: [5, 2], strides: [3, 1] },
  { shape: [1, 3, 8, 8], kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 },
  { shape: [3, 3, 9, 8], kernel_shape: [3, 3], strides: [2, 3], ceil_mode: 1 },
  {
    shape: [1, 5, 6, 7],
    kernel_shape: [3, 2],
    strides: [3, 2],
    pads: [1, 0, 1, 1],
    ceil_mode: 1,
  },
  { shape: [1, 4, 9, 10], kernel_shape: [3, 2], dilations: [2, 3] },
  {
    shape: [2, 6, 9, 7],
    kernel_shape: [3, 3],
    dilations: [3, 2],
    pads: [2, 2, 2, 2],
    strides: [1, 2],
  },
  { shape: [1, 5, 2, 2], kernel_shape: [2, 2], pads: [1, 1, 0, 0] },
  { shape: [1, 5, 2, 2], kernel_shape: [2, 2], pads: [0, 0, 1, 1] },
  { shape: [1, 512, 2, 2], kernel_shape: [2, 2] },
];

function describe({ shape, ceil_mode, dilations, ...rest }: Case): string {
  return `[${shape}] kernel ${rest.kernel_shape} strides ${
    rest.strides ?? 1
  } pads ${rest.pads ?? 0} dilations ${dilations ?? 1}${
    ceil_mode ? " ceil_mode" : ""
  }`;
}

async function check(
  gpu: Gpu,
  { shape, ...window }: Case,
  mode: "max" | "average",
  countPadding = false,
  offset = 0,
): Promise<void> {
  const [images, channels, height, width] = shape;
  const x = randomTensor(1, shape);
  x.data.forEach((v, i) => x.data[i] = v + offset);
  const attributes: Attributes = {
    ...window,
    ...(countPadding && { count_include_pad: 1 }),
  };
  const expected = (mode === "max" ? MaxPool : AveragePool)([x], attributes);
  const [, , outHeight, outWidth] = expected.shape;
  const sizes = {
    images,
    channels4: Math.ceil(channels / 4),
    input: [height, width] as const,
    output: [outHeight!, outWidth!] as const,
    kernel: window.kernel_shape,
    strides: window.strides ?? [1, 1] as const,
    dilations: window.dilations ?? [1, 1] as const,
    pads: window.pads ?? [0, 0, 0, 0] as const,
    mode,
    countPadding,
  };
  const inputs = { x: toNhwc(x.data, shape) };
  const elements = paddedSize(expected.shape);
  const y = await runKernel(gpu, pool2d, sizes, inputs, elements);
  const actual = mode === "max" && offset !== 0
    ? y.map((v, i) => i % (sizes.channels4 * 4) >= channels ? 0 : v)
    : y;
  assertAllClose(
    withoutPadding(actual, expected.shape),
    floats(expected),
    mode === "max" ? { rtol: 0, atol: 0 } : { rtol: 1e-6, atol: 5e-7 },
  );
}

for (const mode of ["max", "average"] as const) {
  gpuTest(`pool2d equals the reference: ${mode}`, async (gpu, t) => {
    for (const testCase of CASES) {
      await t.step(describe(testCase), () => check(gpu, testCase, mode));
    }
  });
}

gpuTest(
  "pool2d counts padding when asked to, never what ceil_mode adds",
  async (gpu, t) => {
    for (const testCase of CASES) {
      await t.step(
        describe(testCase),
        () => check(gpu, testCase, "average", true),
      );
    }
  },
);

gpuTest("pool2d lets padding lose against the lowest values", async (gpu) => {
  const padded = CASES.filter(({ pads }) => pads !== undefined);
  for (const testCase of padded) {
    await check(gpu, testCase, "max", false, -1000);
    await check(gpu, testCase, "max", false, -3e38);
  }
});

gpuTest("pool2d yields a NaN wherever its window has one", async (gpu, t) => {
  const infinite = [-Infinity, Infinity, 1, 2];
  for (const mode of ["max", "average"] as const) {
    for (const bits of [0x7fc00000, 0xffc00000]) {
      await t.step(`${mode}, ${bits.toString(16)}`, async () => {
        const x = new Float32Array(5 * 4).fill(1);
        x.set(infinite, 4);
        new Uint32Array(x.buffer).set([bits, bits], 10);
        const y = await runKernel(
          gpu,
          pool2d,
          {
            images: 1,
            channels4: 1,
            input: [1, 5],
            output: [1, 3],
            kernel: [1, 3],
            strides: [1, 1],
            dilations: [1, 1],
            pads: [0, 0, 0, 0],
            mode,
          },
          { x },
          12,
        );
        const nan = Array.from(y, (v, i) => Number.isNaN(v) ? i : []).flat();
        assertEquals(nan, [2, 3, 6, 7, 10, 11]);
        if (mode === "max") assertEquals([...y.subarray(0, 2)], [1, Infinity]);
      });
    }
  }
});
